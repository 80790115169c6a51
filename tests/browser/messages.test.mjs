// A conversation in two browsers: what one side writes stands on the other's page, and nothing that somebody types, reads
// or has scrolled to is lost by it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CLIENT,
  OTHER_CLIENT,
  OWNER,
  Person,
  eventually,
  launch,
  neverReloaded,
  openLive,
  openPage,
  openTab,
  signIn,
  startDemo,
} from './harness.mjs';

const THIRD_CLIENT = 'aisha@kestrel.example';

/// The key that the page's form has.
async function key(person, path) {
  return /name="key" value="([^"]+)"/.exec(await person.get(path))[1];
}

/// Writes without a browser, each message under a key of its own.
async function write(person, path, texts, client) {
  for (const [n, body] of texts.entries()) {
    const fields = { body, key: `${await key(person, path)}${n}`, ...(client && { client }) };
    const answer = await person.post('/messages', fields);
    assert.equal(answer.status, 303, `sent ${body}`);
  }
}

/// The texts of a page's messages in their order, and whether their numbers have no gap.
async function shown(page) {
  return page.evaluate(() => {
    const rows = [...document.querySelectorAll('#messages > li')];
    const numbers = rows.map((row) => Number(row.id.replace('msg-', '')));
    const gapless = numbers.every((n, at) => !at || n === numbers[at - 1] + 1);
    return { texts: rows.map((row) => row.querySelector('.msg > p').textContent), gapless };
  });
}

test('messages', { timeout: 180_000 }, async (t) => {
  const server = await startDemo(t);
  const browser = await launch(t);
  const naledi = await Person.signIn(server, OWNER);
  const list = await naledi.get('/admin/clients');
  const id = (name) => new RegExp(`/admin/clients/([0-9a-f-]{36})">${name}`).exec(list)[1];
  const [thandi, pieter, aisha] = ['Thandi', 'Pieter', 'Aisha'].map(id);
  const thread = (client) => `/admin/messages/${client}`;
  const opened = async (t, email, path, options) => {
    const page = await openPage(t, browser, server, options);
    await signIn(page, email);
    await openLive(page, path);
    return page;
  };
  const message = (page, text) => page.locator('#messages > li', { hasText: text });
  const field = (page) => page.getByLabel('Your message');

  await t.test('both sides see what is written, and that it was read, without loading anew', async (t) => {
    const [thandis, naledis] = await Promise.all([
      opened(t, CLIENT, '/messages'),
      opened(t, OWNER, thread(thandi)),
    ]);
    const checks = await Promise.all([thandis, naledis].map(neverReloaded));
    for (const [page, other, text] of [
      [naledis, thandis, 'Shall we start at nine?'],
      [thandis, naledis, 'Nine is fine.\nSee https://kestrel.example/map'],
    ]) {
      const before = await field(page).elementHandle();
      await field(page).fill(text);
      await page.keyboard.press('Control+Enter');
      await message(other, text.split('\n')[0]).waitFor();
      await message(page, text.split('\n')[0]).waitFor();
      // The form is a fresh one, and whoever wrote goes on writing.
      await eventually(async () => assert.equal(await before.evaluate((field) => field.isConnected), false));
      assert.equal(await field(page).inputValue(), '');
      assert.equal(await page.evaluate(() => document.activeElement.id), 'composer-body');
    }
    // Both look at it: the mark comes by itself.
    await message(thandis, 'Nine is fine').getByText('· read').waitFor();
    await message(naledis, 'Shall we start').getByText('· read').waitFor();
    const link = message(naledis, 'Nine is fine').getByRole('link');
    assert.equal(await link.getAttribute('rel'), 'noopener noreferrer nofollow');
    assert.equal(await naledis.locator('#read-upto input').count(), 0);
    // By pointer too.
    await field(thandis).fill('By the button');
    await thandis.getByRole('button', { name: 'Send' }).click();
    await message(naledis, 'By the button').waitFor();
    await eventually(async () =>
      assert.equal(await thandis.evaluate(() => document.activeElement.id), 'composer-body'),
    );
    for (const check of checks) await check();
  });

  await t.test('the list of conversations has who wrote last on top', async (t) => {
    const page = await opened(t, OWNER, '/admin/messages');
    const check = await neverReloaded(page);
    const person = await Person.signIn(server, THIRD_CLIENT);
    await write(person, '/messages', ['Is it next week already?']);
    const first = page.locator('#thread-rows > li').first();
    await first.getByText('Is it next week already?').waitFor();
    assert.match(await first.textContent(), /Aisha Dlamini.*Waits since.*1 unread/s);
    await write(naledi, thread(aisha), ['No, the week after.'], aisha);
    await first.getByText('Naledi: No, the week after.').waitFor();
    assert.doesNotMatch(await first.textContent(), /unread|Waits/);
    await check();
  });

  await t.test('a draft survives twenty messages, with caret, selection and focus', async (t) => {
    const page = await opened(t, OTHER_CLIENT, '/messages');
    await field(page).pressSequentially('Nobody takes this away');
    const element = await field(page).elementHandle();
    await element.evaluate((field) => field.setSelectionRange(2, 7, 'backward'));
    const kept = () =>
      element.evaluate((field) => ({
        connected: field.isConnected,
        focused: document.activeElement === field,
        value: field.value,
        selection: [field.selectionStart, field.selectionEnd, field.selectionDirection],
      }));
    const before = await kept();
    assert.deepEqual(before.selection, [2, 7, 'backward']);
    for (let n = 1; n <= 20; n += 1) {
      await write(naledi, thread(pieter), [`Meanwhile ${n}.`], pieter);
      await message(page, `Meanwhile ${n}.`).waitFor();
      assert.deepEqual(await kept(), before, `after message ${n}`);
    }
    await page.keyboard.type('XY');
    assert.equal(await field(page).inputValue(), 'NoXYtakes this away');
  });

  await t.test('fifty messages while a tab was closed or asleep are there once and in order', async (t) => {
    const page = await opened(t, OTHER_CLIENT, '/messages');
    const closed = await openTab(t, page.context());
    await openLive(closed, '/messages');
    await closed.close();
    // Asleep: a hidden page lets its socket go.
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    const texts = Array.from({ length: 50 }, (_, n) => `While away ${n + 1}.`);
    await write(naledi, thread(pieter), texts, pieter);
    assert.equal(await page.locator('#messages', { hasText: 'While away 50.' }).count(), 0, 'it is asleep');
    await page.evaluate(() => {
      delete document.hidden;
      delete document.visibilityState;
      document.dispatchEvent(new Event('visibilitychange'));
    });
    const again = await openTab(t, page.context());
    await openLive(again, '/messages');
    for (const tab of [page, again]) {
      await message(tab, 'While away 50.').waitFor();
      // What does not fit into the window is behind the button.
      for (let more = 0; more < 3 && !(await tab.getByText('While away 1.', { exact: true }).count()); more += 1) {
        const count = await tab.locator('[data-message]').count();
        await tab.getByText('Older messages').click();
        await eventually(async () => assert.ok((await tab.locator('[data-message]').count()) > count));
      }
      const all = await tab.locator('[data-message] .msg > p:first-child').allTextContents();
      assert.deepEqual(all.filter((text) => text.startsWith('While away')), texts);
      assert.ok((await shown(tab)).gapless);
    }
    // Seen again, it is read.
    await eventually(async () => assert.equal(await page.locator('#read-upto input').count(), 0));
  });

  await t.test('older messages come without losing the place, and stay when new ones arrive', async (t) => {
    // Two hundred lines are there by now: more than two windows.
    await write(naledi, thread(pieter), Array.from({ length: 45 }, (_, n) => `Line ${n + 1}.`), pieter);
    const page = await opened(t, OTHER_CLIENT, '/messages', { viewport: { width: 390, height: 844 } });
    const at = (text) =>
      page.locator('[data-message]', { has: page.getByText(text, { exact: true }) }).evaluate((row) => row.getBoundingClientRect().top);
    const scroller = page.locator('.scroller');
    const isAtEnd = () => scroller.evaluate((box) => Math.abs(box.scrollTop) < 2);
    assert.ok(await isAtEnd(), 'a thread opens at its end');
    await message(page, 'Line 45.').waitFor();
    assert.ok((await at('Line 45.')) < 844);

    const oldest = await page.locator('#messages > li').first().locator('.msg > p').first().textContent();
    await page.getByText('Older messages').scrollIntoViewIfNeeded();
    const before = await at(oldest);
    const count = await page.locator('[data-message]').count();
    await page.getByText('Older messages').click();
    await eventually(async () => assert.ok((await page.locator('[data-message]').count()) > count));
    assert.ok(Math.abs((await at(oldest)) - before) < 60, `the place is kept: ${before} and ${await at(oldest)}`);

    const all = await page.locator('[data-message]').count();
    const place = await at(oldest);
    await write(naledi, thread(pieter), ['One more.', 'And another.'], pieter);
    await message(page, 'And another.').waitFor({ state: 'attached' });
    assert.equal(await page.locator('[data-message]').count(), all + 2, 'nothing is taken away');
    assert.ok(Math.abs((await at(oldest)) - place) < 2, 'and nothing moves under the reader');
    assert.ok((await shown(page)).gapless);
    // At its end it stays at its end.
    await scroller.evaluate((box) => (box.scrollTop = 0));
    await write(naledi, thread(pieter), ['The last one.'], pieter);
    await message(page, 'The last one.').waitFor();
    assert.ok(await isAtEnd());
  });

  await t.test('without scripts', async (t) => {
    const page = await openPage(t, browser, server, { javaScriptEnabled: false });
    await signIn(page, THIRD_CLIENT);
    await page.goto('/messages');
    await page.getByRole('button', { name: 'Mark as read' }).click();
    await page.waitForURL('**/messages');
    assert.equal(await page.getByRole('button', { name: 'Mark as read' }).count(), 0);
    await field(page).fill('Written on an old phone');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.waitForURL('**/messages');
    await message(page, 'Written on an old phone').waitFor();
    const search = page.getByPlaceholder('Search this conversation');
    await search.fill('OLD PHONE');
    await search.press('Enter');
    await page.waitForURL('**/messages?q=*');
    assert.equal(await page.locator('mark').textContent(), 'old phone');
    await signOutAndIn(page, OTHER_CLIENT);
    await page.goto('/messages');
    const oldest = await page.locator('#messages > li').first().getAttribute('id');
    await page.getByRole('link', { name: 'Older messages' }).click();
    await page.waitForURL('**/messages?before=*');
    const newest = await page.locator('[data-message]').last().getAttribute('id');
    assert.equal(Number(newest.slice(4)), Number(oldest.slice(4)) - 1);
    await page.getByRole('link', { name: 'To the newest' }).click();
    await page.waitForURL('**/messages');
  });

  async function signOutAndIn(page, email) {
    await page.getByRole('button', { name: 'Sign out' }).first().click();
    await page.waitForURL('**/login');
    await signIn(page, email);
  }

});
