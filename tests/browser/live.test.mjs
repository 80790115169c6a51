// One person does something, and it stands on everybody else's page: nothing is loaded anew, nothing that somebody types
// or looks at is lost. One server for all; each journey takes clients and times that the others leave alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CLIENT,
  OTHER_CLIENT,
  OWNER,
  Person,
  assertAsFresh,
  becomes,
  eventually,
  forgiving,
  launch,
  live,
  neverReloaded,
  nextWeek,
  openLive,
  openPage,
  openTab,
  signIn,
  slot,
  startDemo,
} from './harness.mjs';

const THIRD_CLIENT = 'aisha@kestrel.example';
const HOUR = 3600_000;

test('live pages', { timeout: 120_000 }, async (t) => {
  const server = await startDemo(t);
  const browser = await launch(t);
  const pieter = await Person.signIn(server, OTHER_CLIENT);
  const aisha = await Person.signIn(server, THIRD_CLIENT);
  const calendar = (staff, weeks) => `${nextWeek(weeks)}&staff=${staff}`;
  /// A page of someone who has just signed in.
  const opened = async (t, email, path, options) => {
    const page = await openPage(t, browser, server, options);
    await signIn(page, email);
    await openLive(page, path);
    return page;
  };

  await t.test('a booking is seen by the one who books, the next client and the staff', async (t) => {
    // Within the seven days of the agenda, and not so soon that it passes meanwhile.
    const soon = ({ start }) => {
      const ahead = Date.parse(start) - Date.now();
      return ahead > 4 * HOUR && ahead < 6 * 24 * HOUR;
    };
    const times = [...(await pieter.free(nextWeek(0))), ...(await pieter.free(nextWeek(1)))].filter(soon);
    const [time] = times;
    assert.ok(time, 'the demo has a free time within six days');
    const pages = await Promise.all([
      openPage(t, browser, server),
      openPage(t, browser, server),
      openPage(t, browser, server),
    ]);
    const [pieters, thandis, naledis] = pages;
    await Promise.all([signIn(pieters, OTHER_CLIENT), signIn(thandis, CLIENT), signIn(naledis, OWNER)]);
    // Whichever of the two weeks shows the time.
    for (const page of [pieters, thandis]) {
      for (const weeks of [0, 1]) {
        await openLive(page, calendar(time.staff, weeks));
        if (await page.locator(slot(time)).count()) break;
      }
    }
    await openLive(naledis, '/admin');
    const checks = await Promise.all(pages.map(neverReloaded));
    await becomes(thandis, time, 'free');

    await pieters.locator(slot(time)).click();
    await pieters.getByRole('button', { name: 'Book this time' }).click();
    await pieters.locator('#sheet .note.ok').waitFor();
    await pieters.keyboard.press('Escape');

    await becomes(pieters, time, 'mine');
    await becomes(thandis, time, 'taken');
    assert.equal(await thandis.locator(slot(time)).getAttribute('aria-disabled'), 'true');
    const at = naledis.locator('#agenda [data-booking]', { has: naledis.locator(`time[datetime="${time.start}"]`) });
    const entry = at.filter({ hasText: 'Pieter Botha' });
    await entry.waitFor();
    assert.equal(await entry.getAttribute('data-status'), 'confirmed');
    await naledis.locator('#activity-lines > li:first-child', { hasText: 'Pieter Botha booked' }).waitFor();

    // And away again: what was filled in is taken out.
    await pieters.locator(slot(time)).click();
    await pieters.getByRole('button', { name: 'Cancel session' }).click();
    await pieters.locator('#sheet .note.ok', { hasText: 'Cancelled' }).waitFor();
    await pieters.keyboard.press('Escape');
    await becomes(pieters, time, 'free');
    await becomes(thandis, time, 'free');
    await entry.waitFor({ state: 'detached' });
    await naledis.locator('#activity-lines > li:first-child', { hasText: 'Pieter Botha cancelled' }).waitFor();

    for (const page of pages) await assertAsFresh(t, page);
    for (const check of checks) await check();
  });

  await t.test('a draft survives twenty pushes, with caret, selection and focus', async (t) => {
    for (const booking of await aisha.coming()) await aisha.cancel(booking);
    const [time] = await aisha.free(nextWeek(2));
    const page = await opened(t, OWNER, '/admin/clients');
    const check = await neverReloaded(page);
    const row = page.locator('#clients tr', { hasText: 'Aisha Dlamini' });
    await row.getByText('None booked').waitFor();

    const draft = page.getByLabel('Name', { exact: true });
    await draft.pressSequentially('Nomsa Mokhethi');
    const element = await draft.elementHandle();
    await element.evaluate((input) => input.setSelectionRange(2, 7, 'backward'));
    const kept = () =>
      element.evaluate((input) => ({
        connected: input.isConnected,
        focused: document.activeElement === input,
        value: input.value,
        selection: [input.selectionStart, input.selectionEnd, input.selectionDirection],
      }));
    const before = await kept();
    assert.deepEqual(before.selection, [2, 7, 'backward']);

    let booking;
    for (let push = 1; push <= 20; push += 1) {
      if (booking) {
        await aisha.cancel(booking);
        booking = undefined;
        await row.getByText('None booked').waitFor();
      } else {
        booking = await aisha.book(time);
        await row.getByText('None booked').waitFor({ state: 'detached' });
      }
      assert.deepEqual(await kept(), before, `after push ${push}`);
    }
    // What is typed next goes to where the caret was.
    await page.keyboard.type('XY');
    assert.equal(await draft.inputValue(), 'NoXYokhethi');
    await assertAsFresh(t, page);
    await check();
  });

  await t.test('the sheet keeps its choice while the week behind it changes', async (t) => {
    const times = await pieter.free(nextWeek(3));
    // Far apart: an open sheet keeps room for its longest session, which may reach over the next start.
    const [open, other] = [times[0], times.at(-1)];
    const page = await opened(t, CLIENT, calendar(open.staff, 3));
    await page.locator(slot(open)).click();
    const choices = page.locator('#sheet input[name=service]:enabled');
    await choices.last().check();
    const booking = await pieter.book(other);
    await becomes(page, other, 'taken');
    assert.ok(await choices.last().isChecked());
    assert.ok(await page.locator('#sheet').evaluate((sheet) => sheet.open && sheet.contains(document.activeElement)));
    await pieter.cancel(booking);
    await becomes(page, other, 'free');
    assert.ok(await choices.last().isChecked());
  });

  await t.test('Back from another page is live again', async (t) => {
    const [missed, seen] = await pieter.free(nextWeek(4));
    const page = await opened(t, CLIENT, calendar(missed.staff, 4));
    await becomes(page, missed, 'free');
    await page.getByRole('link', { name: 'Home' }).first().click();
    await page.waitForURL('**/');
    await live(page);
    await pieter.book(missed);
    await page.goBack();
    // What happened while the page was away, and what happens now.
    await becomes(page, missed, 'taken');
    await live(page);
    await pieter.book(seen);
    await becomes(page, seen, 'taken');
    await assertAsFresh(t, page);
  });

  await t.test('a phone keeps the chosen day, whatever is pushed', async (t) => {
    const times = await pieter.free(nextWeek(5));
    const page = await opened(t, CLIENT, calendar(times[0].staff, 5), { viewport: { width: 390, height: 844 } });
    const shown = () =>
      page.locator('section.day').evaluateAll((days) => days.filter((day) => day.offsetParent).map((day) => day.id));
    assert.equal((await shown()).length, 1, 'one day at a time');
    const [first] = await shown();
    const another = await page
      .locator(`section.day:not(#${first}):has(button[data-state=free])`)
      .last()
      .getAttribute('id');
    await page.locator(`.daypick a[href="#${another}"]`).click();
    assert.deepEqual(await shown(), [another]);
    assert.equal(await page.locator('.daypick a[aria-current=date]').getAttribute('href'), `#${another}`);

    const start = await page.locator(`#${another} button[data-state=free]`).first().getAttribute('data-slot');
    const time = times.find((time) => time.start === start);
    const bookings = [await pieter.book(time)];
    await becomes(page, time, 'taken');
    assert.deepEqual(await shown(), [another]);
    bookings.push(await pieter.book(times[0]));
    await becomes(page, times[0], 'taken');
    assert.deepEqual(await shown(), [another]);
    assert.equal(await page.locator('.daypick a[aria-current=date]').getAttribute('href'), `#${another}`);
    for (const booking of bookings) await pieter.cancel(booking);
  });

  await t.test('signing out in one tab ends the live page in the other', async (t) => {
    const page = await opened(t, THIRD_CLIENT, '/bookings');
    const tab = await openTab(t, page.context());
    await openLive(tab, '/');
    await tab.getByRole('button', { name: 'Sign out' }).first().click();
    await tab.waitForURL('**/login');
    await page.waitForFunction(() => document.documentElement.dataset.live === 'expired');
    assert.equal(await page.locator('#live-status').textContent(), 'Signed out, sign in again');
  });

  await t.test('a browser without a network says so, and ends in the exact state', async (t) => {
    const [time] = await pieter.free(nextWeek(6));
    const page = await opened(t, CLIENT, calendar(time.staff, 6));
    const check = await neverReloaded(page);
    await forgiving(page, /ERR_INTERNET_DISCONNECTED/, async () => {
      await page.context().setOffline(true);
      await page.waitForFunction(() => document.documentElement.dataset.live === 'offline');
      assert.match(await page.locator('#live-status').textContent(), /^Not live since \d\d:\d\d$/);
      await pieter.book(time);
      await page.context().setOffline(false);
      await live(page);
    });
    await becomes(page, time, 'taken');
    await eventually(async () => assert.equal(await page.locator('#live-status').textContent(), 'Live'));
    await assertAsFresh(t, page);
    await check();
  });
});
