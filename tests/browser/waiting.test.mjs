// The waiting list: one cancels, the other sees the offer appear and accepts it with one click; and the same without scripts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CLIENT,
  OTHER_CLIENT,
  OWNER,
  Person,
  assertAccessible,
  assertValidHtml,
  launch,
  nextWeek,
  openLive,
  openPage,
  signIn,
  slot,
  startDemo,
} from './harness.mjs';

test('waiting', { timeout: 120_000 }, async (t) => {
  const server = await startDemo(t);
  const browser = await launch(t);
  const pieter = await Person.signIn(server, OTHER_CLIENT);
  /// Books all that is free on a day of that week: the last of it, to be cancelled, and its service.
  const full = async (weeks) => {
    const [{ start, staff }] = await pieter.free(nextWeek(weeks));
    const day = start.slice(0, 10);
    const path = `${nextWeek(weeks)}&staff=${staff}`;
    const free = async () => (await pieter.free(path)).filter((time) => time.start.startsWith(day));
    let last;
    for (let [time] = await free(); time; [time] = await free()) {
      const { services } = await pieter.sheet(time);
      const service = services.find(({ fits }) => fits).id;
      last = { time, service, booking: await pieter.book(time) };
    }
    return { ...last, day, path };
  };
  const ask = async (page, { day, service, time }) => {
    await page.locator('#ask summary').click();
    await page.getByRole('combobox', { name: 'Session' }).selectOption(service);
    await page.getByRole('combobox', { name: 'With' }).selectOption(time.staff);
    await page.getByLabel('From', { exact: true }).fill(day);
    await page.getByLabel('Until', { exact: true }).fill(day);
    await page.getByRole('button', { name: 'Wait for it' }).click();
    await page.waitForURL('**/bookings#waits');
    await page.locator('#waits [data-wait]').first().waitFor();
  };

  await t.test('an offer appears as it is made, and one click books it', async (t) => {
    const wish = await full(2);
    const page = await openPage(t, browser, server, { bypassCSP: true, reducedMotion: 'reduce' });
    await signIn(page, CLIENT);
    await openLive(page, wish.path);
    await ask(page, wish);
    const html = {};
    const staff = await openPage(t, browser, server, { bypassCSP: true, reducedMotion: 'reduce' });
    await signIn(staff, OWNER);
    await openLive(staff, '/admin/waits');
    await staff.getByRole('link', { name: 'Thandi Mokoena' }).waitFor();

    await openLive(page, '/');
    await pieter.cancel(wish.booking);
    const offer = page.locator('[data-todo=offer]');
    await offer.waitFor();
    assert.match(await offer.innerText(), /Kept for you until \d\d:\d\d\./);
    await staff.getByText(/Offered .* until/).waitFor();
    assert.ok(!(await pieter.free(wish.path)).some(({ start }) => start === wish.time.start), 'nobody else is offered it');
    for (const [name, one] of Object.entries({ home: page, line: staff })) {
      // The tint of what just changed keeps the colours of the theme in which it began.
      await one.waitForFunction(() => !document.querySelector('.just'));
      await assertAccessible(one);
      html[name] = await one.content();
    }
    await openLive(page, wish.path);
    await page.locator('#waits [data-offer]').waitFor();
    await assertAccessible(page);
    html.week = await page.content();
    await page.getByRole('button', { name: /^Accept/ }).click();
    await page.locator('#sheet .note.ok').waitFor();
    await page.keyboard.press('Escape');
    await page.locator(`${slot(wish.time)}[data-state=mine]`).waitFor();
    await page.locator('#waits [data-wait]').waitFor({ state: 'detached' });
    await staff.getByText('Nobody waits.').waitFor();
    await assertValidHtml(html);
  });

  await t.test('without scripts', async (t) => {
    const wish = await full(3);
    const page = await openPage(t, browser, server, { javaScriptEnabled: false });
    await signIn(page, CLIENT);
    await page.goto(wish.path);
    await ask(page, wish);
    await page.getByRole('button', { name: /^Withdraw/ }).click();
    await page.locator('#waits [data-wait]').waitFor({ state: 'detached' });
    await page.goto(wish.path);
    await ask(page, wish);
    await pieter.cancel(wish.booking);
    await assert.doesNotReject(async () => {
      // The page cannot hear of it: whoever has no scripts looks again.
      for (let tries = 0; tries < 50 && !(await page.locator('[data-todo=offer]').count()); tries += 1) await page.goto('/');
    });
    await page.locator('[data-todo=offer]').getByRole('button', { name: /^Accept/ }).click();
    await page.waitForURL(/\/bookings\/[0-9a-f-]{36}$/);
    await page.getByText('Confirmed').waitFor();
  });
});
