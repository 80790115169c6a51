// Booking, moving and cancelling: with a pointer, with the keyboard alone, without scripts, and one moment too late.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CLIENT,
  OTHER_CLIENT,
  OWNER,
  Person,
  becomes,
  eventually,
  forgiving,
  launch,
  nextWeek,
  openLive,
  openPage,
  signIn,
  slot,
  startDemo,
} from './harness.mjs';

test('booking', { timeout: 120_000 }, async (t) => {
  const server = await startDemo(t);
  const browser = await launch(t);
  const pieter = await Person.signIn(server, OTHER_CLIENT);
  /// A free time of that week at which more than one service fits.
  const roomy = async (weeks) => {
    for (const time of await pieter.free(nextWeek(weeks))) {
      const { services } = await pieter.sheet(time);
      if (services.filter(({ fits }) => fits).length > 1) return time;
    }
    throw new Error('the demo has no longer gap in that week');
  };
  const thandi = await Person.signIn(server, CLIENT);
  /// The time that Thandi's open sheet keeps is given back, as when its two minutes are over.
  const letGo = async (page) => {
    const path = await page.locator('#sheet-release').getAttribute('action');
    assert.equal((await thandi.post(path, {})).status, 303, 'given back');
  };
  const focused = (page) =>
    page.evaluate(() => document.activeElement.id || document.activeElement.getAttribute('name') || document.activeElement.localName);

  await t.test('who comes second keeps the choice and books another time', async (t) => {
    const time = await roomy(1);
    const path = `${nextWeek(1)}&staff=${time.staff}`;
    const [first, second] = await Promise.all([openPage(t, browser, server), openPage(t, browser, server)]);
    await Promise.all([signIn(first, OTHER_CLIENT), signIn(second, CLIENT)]);
    for (const page of [second, first]) {
      await openLive(page, path);
      await page.locator(slot(time)).click();
      await page.locator('#sheet[open] h2').waitFor();
      if (page === second) await letGo(second);
    }
    const choice = second.locator('#sheet input[name=service]:enabled').nth(1);
    const chosen = await choice.getAttribute('value');
    await choice.check();
    const key = await second.locator('#sheet input[name=key]').inputValue();
    await first.getByRole('button', { name: 'Book this time' }).click();
    await first.locator('#sheet .note.ok').waitFor();
    await becomes(second, time, 'taken');
    assert.ok(await choice.isChecked(), 'a push leaves the sheet alone');

    await forgiving(second, /status of 409/, async () => {
      const answer = second.waitForResponse((response) => response.request().method() === 'POST');
      await second.getByRole('button', { name: 'Book this time' }).click();
      assert.equal((await answer).status(), 409);
      await second.locator('#sheet .note.warn').waitFor();
    });
    assert.equal(await second.locator('#sheet input[name=service]:checked').getAttribute('value'), chosen);
    assert.equal(await second.locator('#sheet input[name=key]').inputValue(), key);
    assert.ok(await second.locator('#sheet').evaluate((sheet) => sheet.contains(document.activeElement)));
    const others = second.locator('#sheet .chips a');
    assert.ok((await others.count()) > 0, 'free times close by');
    const instead = new URL(await others.first().getAttribute('href'), server.base).searchParams.get('start');
    await others.first().click();
    await second.locator(`#sheet input[name=start][value="${instead}"]`).waitFor({ state: 'attached' });
    assert.ok(await second.locator(`#sheet input[name=service][value="${chosen}"]`).isChecked(), 'another time keeps the service');
    await second.getByText('Kept for you until').waitFor();
    await second.getByRole('button', { name: 'Book this time' }).click();
    await second.locator('#sheet .note.ok').waitFor();
    await second.keyboard.press('Escape');
    // It may lie in the week before or after the one that is shown.
    if (await second.locator(slot({ start: instead })).count()) await becomes(second, { start: instead }, 'mine');
    await second.goto('/');
    assert.ok(await second.locator('#coming > li').count());
  });

  await t.test('a time that one looks at is held for the others, and free again on back', async (t) => {
    const time = await roomy(6);
    const path = `${nextWeek(6)}&staff=${time.staff}`;
    const [first, second] = await Promise.all([openPage(t, browser, server), openPage(t, browser, server)]);
    await Promise.all([signIn(first, OTHER_CLIENT), signIn(second, CLIENT)]);
    await openLive(second, path);
    const before = await second.evaluate(() => document.documentElement.dataset.live);
    await second.evaluate(({ start }) => {
      window.seen = [];
      new MutationObserver(() => {
        const { state } = document.querySelector(`#calendar [data-slot="${start}"]`).dataset;
        if (window.seen.at(-1)?.state !== state) window.seen.push({ state, at: Date.now() });
      }).observe(document.querySelector('#calendar'), { subtree: true, childList: true, attributes: true });
    }, time);
    const waits = [];
    for (let round = 0; round < 3; round += 1) {
      await first.goto('/');
      await openLive(first, path);
      await first.evaluate(() => {
        document.addEventListener('click', () => sessionStorage.setItem('clicked', Date.now()), { capture: true });
      });
      await first.locator(slot(time)).click();
      await first.locator('#sheet[open] h2').waitFor();
      await becomes(second, time, 'held');
      assert.match(await second.locator(slot(time)).innerText(), /held/, 'in a word, not only in a colour');
      await becomes(first, time, 'free');
      const clicked = Number(await first.evaluate(() => sessionStorage.getItem('clicked')));
      waits.push((await second.evaluate(() => window.seen.findLast(({ state }) => state === 'held').at)) - clicked);
      if (round === 0) {
        await first.keyboard.press('Escape');
        await first.locator('#sheet').waitFor({ state: 'hidden' });
      } else await first.goBack();
      await becomes(second, time, 'free');
    }
    // One round may fall on a moment in which the machine is busy.
    assert.ok(waits.sort((a, b) => a - b)[1] <= 300, `held after ${waits} ms`);
    assert.equal(await second.evaluate(() => document.documentElement.dataset.live), before);
  });

  await t.test('a sheet says when its time is kept no longer, and books all the same', async (t) => {
    const time = await roomy(7);
    const page = await openPage(t, browser, server);
    await signIn(page, CLIENT);
    await page.clock.install();
    await openLive(page, `${nextWeek(7)}&staff=${time.staff}`);
    await page.locator(slot(time)).click();
    await page.getByText('Kept for you until').waitFor();
    const chosen = page.locator('#sheet input[name=service]:enabled').nth(1);
    await chosen.check();
    await page.clock.fastForward(100_000);
    assert.match(await page.locator('#sheet-kept').innerText(), /^Kept for you/);
    await page.clock.fastForward(20_000);
    await page.getByText('It is no longer kept for you.').waitFor();
    assert.ok(await chosen.isChecked(), 'nothing else in the sheet changes');
    await page.getByRole('button', { name: 'Book this time' }).click();
    await page.locator('#sheet .note.ok').waitFor();
    await becomes(page, time, 'mine');
  });

  await t.test('with the keyboard alone', async (t) => {
    const time = await roomy(2);
    const page = await openPage(t, browser, server);
    await signIn(page, CLIENT);
    await openLive(page, `${nextWeek(2)}&staff=${time.staff}`);
    const id = await page.locator(slot(time)).getAttribute('id');
    const tabTo = async (id) => {
      for (let steps = 0; steps < 150 && (await focused(page)) !== id; steps += 1) await page.keyboard.press('Tab');
      assert.equal(await focused(page), id, 'Tab gets there');
    };

    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip', 'the first stop skips to the content');
    await tabTo(id);
    await page.keyboard.press('Enter');
    await page.locator('#sheet[open] h2').waitFor();
    await eventually(async () => assert.equal(await focused(page), 'service'));
    // Away without booking: the focus is where it was.
    await page.keyboard.press('Escape');
    await page.locator('#sheet').waitFor({ state: 'hidden' });
    await eventually(async () => assert.equal(await focused(page), id));
    await becomes(page, time, 'free');

    await page.keyboard.press('Enter');
    await page.locator('#sheet[open] h2').waitFor();
    await eventually(async () => assert.equal(await focused(page), 'service'));
    const checked = () => page.locator('#sheet input[name=service]:checked').getAttribute('value');
    const before = await checked();
    await page.keyboard.press('ArrowDown');
    assert.notEqual(await checked(), before, 'arrows choose the service');
    await page.keyboard.press('Enter');
    await page.locator('#sheet .note.ok').waitFor();
    assert.ok(await page.locator('#sheet').evaluate((sheet) => sheet.contains(document.activeElement)));
    await becomes(page, time, 'mine');
    await page.keyboard.press('Escape');
    await page.locator('#sheet').waitFor({ state: 'hidden' });
    await eventually(async () => assert.equal(await focused(page), id, 'on the slot, which was pushed meanwhile'));

    // A taken one does nothing, and keeps the focus.
    const taken = page.locator('button.slot[data-state=taken]').first();
    await taken.focus();
    await page.keyboard.press('Enter');
    assert.equal(await focused(page), await taken.getAttribute('id'));
    assert.ok(!(await page.locator('#sheet').evaluate((sheet) => sheet.open)));
  });

  await t.test('moving and cancelling in the sheet', async (t) => {
    const times = await pieter.free(nextWeek(3));
    const page = await openPage(t, browser, server);
    await signIn(page, OTHER_CLIENT);
    await openLive(page, `${nextWeek(3)}&staff=${times[0].staff}`);
    await page.locator(slot(times[0])).click();
    await page.getByRole('button', { name: 'Book this time' }).click();
    await page.locator('#sheet .note.ok').waitFor();
    await page.getByRole('link', { name: 'Move', exact: true }).click();
    await page.getByRole('heading', { name: 'Choose a new time' }).waitFor();
    await becomes(page, times[0], 'mine');
    await page.locator(slot(times[1])).click();
    await page.getByRole('button', { name: 'Move to this time' }).click();
    await page.locator('#sheet .note.ok', { hasText: 'Moved' }).waitFor();
    await becomes(page, times[0], 'free');
    await becomes(page, times[1], 'mine');
    await page.getByRole('button', { name: 'Cancel session' }).click();
    await page.locator('#sheet .note.ok', { hasText: 'Cancelled' }).waitFor();
    await page.getByRole('link', { name: 'Close' }).click();
    await becomes(page, times[1], 'free');
  });

  await t.test('staff book for a client', async (t) => {
    const [time] = await pieter.free(nextWeek(4));
    const page = await openPage(t, browser, server);
    await signIn(page, OWNER);
    await openLive(page, `${nextWeek(4).replace('/bookings', '/admin/calendar')}&staff=${time.staff}`);
    await page.locator(slot(time)).click();
    await page.getByLabel('Client').selectOption('Thandi Mokoena');
    await page.getByRole('button', { name: 'Book this time' }).click();
    await page.locator('#sheet .note.ok').waitFor();
    await page.keyboard.press('Escape');
    const booked = page.locator('#timetable [data-booking]', { hasText: 'Thandi Mokoena' });
    await booked.waitFor();
    await page.locator(slot(time)).waitFor({ state: 'detached' });
    await booked.getByRole('link').click();
    await page.getByRole('button', { name: 'Cancel session' }).click();
    await page.locator('#sheet .note.ok').waitFor();
    await page.keyboard.press('Escape');
    await page.locator(slot(time)).waitFor();
  });

  await t.test('without scripts', async (t) => {
    const times = await pieter.free(nextWeek(5));
    const page = await openPage(t, browser, server, { javaScriptEnabled: false });
    await signIn(page, CLIENT);
    await page.goto(`${nextWeek(5)}&staff=${times[0].staff}`);
    await page.locator(slot(times[0])).click();
    await page.waitForURL('**/bookings/new?**');
    await page.getByText('Kept for you until').waitFor();
    const offered = async () => (await pieter.free(nextWeek(5))).some(({ start }) => start === times[0].start);
    assert.ok(!(await offered()), 'nobody else is offered it');
    await page.getByRole('button', { name: 'Not now' }).click();
    await page.waitForURL('**/bookings?**');
    assert.ok(await offered(), 'given back');
    await page.locator(slot(times[0])).click();
    await page.locator('input[name=service]:enabled').first().check();
    await page.getByRole('button', { name: 'Book this time' }).click();
    await page.waitForURL(/\/bookings\/[0-9a-f-]{36}$/);
    await page.getByText('Confirmed').waitFor();
    const booking = page.url();

    await page.getByRole('link', { name: 'Move', exact: true }).click();
    assert.equal(await page.locator(slot(times[0])).getAttribute('data-state'), 'mine');
    await page.locator(slot(times[1])).click();
    await page.getByRole('button', { name: 'Move to this time' }).click();
    await page.waitForURL(booking);

    // Two windows with the same form: the second one's answer is a page, too.
    await page.goto(`${nextWeek(5)}&staff=${times[0].staff}`);
    assert.equal(await page.locator(slot(times[0])).getAttribute('data-state'), 'free');
    assert.equal(await page.locator(slot(times[1])).getAttribute('data-state'), 'mine');
    await page.locator(slot(times[0])).click();
    await letGo(page);
    await pieter.book(times[0]);
    await forgiving(page, /status of 409/, async () => {
      await page.getByRole('button', { name: 'Book this time' }).click();
      await page.locator('.note.warn').waitFor();
    });
    assert.ok(await page.locator('.chips a').count());

    await page.goto(booking);
    await page.getByRole('button', { name: 'Cancel session' }).click();
    await page.waitForURL(booking);
    await page.getByText('Cancelled', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).first().click();
    await page.waitForURL('**/login');
  });
});
