// What people are told of what others did: the bell counts on every open page, the title of a tab in the background too,
// and whoever opens the list has seen it, everywhere.

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

const PHONE = { viewport: { width: 390, height: 844 } };

/// Headless Chromium shows all tabs at once: the page is told what it would see behind another.
const behind = (page, hidden) =>
  page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (hidden ? 'hidden' : 'visible') });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);

/// Waits until the bell says so many, in both places.
const bell = async (page, count) => {
  for (const badge of ['#bell-side', '#bell-bar']) {
    const counts = page.locator(`${badge}[data-count="${count}"]`);
    await counts.waitFor({ state: 'attached' });
    assert.equal(await counts.getAttribute('hidden'), count ? null : '');
    assert.equal(await counts.textContent(), count ? `${count} unread` : '');
  }
};

test('notifications', { timeout: 120_000 }, async (t) => {
  const server = await startDemo(t);
  const browser = await launch(t);
  const pieter = await Person.signIn(server, OTHER_CLIENT);
  const owner = await Person.signIn(server, OWNER);
  const times = await pieter.free(nextWeek(1));
  const opened = async (t, email, path, options) => {
    const page = await openPage(t, browser, server, options);
    await signIn(page, email);
    await openLive(page, path);
    return page;
  };
  // What the demo's past has told is looked at first.
  for (const email of [OWNER, CLIENT, OTHER_CLIENT]) {
    const list = await opened(t, email, '/notifications');
    await bell(list, 0);
    await list.context().close();
  }
  const titled = (page, title) => eventually(async () => assert.equal(await page.title(), title));

  await t.test('a booking counts on staff’s pages, and in the title of the one behind', async (t) => {
    const time = times.shift();
    const today = await opened(t, OWNER, '/admin');
    const clients = await openTab(t, today.context());
    await openLive(clients, '/admin/clients');
    const thandis = await opened(t, CLIENT, `${nextWeek(1)}&staff=${time.staff}`);
    const checks = await Promise.all([today, clients, thandis].map(neverReloaded));
    await Promise.all([bell(today, 0), bell(clients, 0), bell(thandis, 0)]);
    await behind(today, true);

    await thandis.locator(slot(time)).click();
    await thandis.getByRole('button', { name: 'Book this time' }).click();
    await becomes(thandis, time, 'mine');

    await Promise.all([bell(today, 1), bell(clients, 1)]);
    await titled(today, '(1) Today · Kestrel Physio');
    await titled(clients, 'Clients · Kestrel Physio');
    await clients.getByRole('link', { name: 'Notifications 1 unread', exact: true }).first().waitFor();
    await eventually(async () => assert.equal(await clients.locator('#live-news').textContent(), 'Unread notifications: 1'));
    await bell(thandis, 0);
    await pieter.book(times.shift());
    await Promise.all([bell(today, 2), bell(clients, 2)]);
    await titled(today, '(2) Today · Kestrel Physio');
    // Whoever looks at the page reads the bell.
    await behind(today, false);
    await titled(today, 'Today · Kestrel Physio');
    await behind(today, true);
    await titled(today, '(2) Today · Kestrel Physio');
    for (const page of [today, clients, thandis]) await assertAsFresh(t, page);
    for (const check of checks) await check();

    // Opened in the other tab: told apart for a moment, then seen, in both.
    await clients.locator('a.bell:visible').click();
    const lines = clients.locator('[data-notification]');
    const known = (await lines.count()) - 2;
    assert.match(await lines.first().textContent(), /^Pieter Botha booked .* New /);
    assert.match(await lines.nth(1).textContent(), /^Thandi Mokoena booked .* New /);
    assert.ok(await clients.getByRole('button', { name: 'Mark all as seen' }).isHidden());
    await Promise.all([bell(today, 0), bell(clients, 0)]);
    await titled(today, 'Today · Kestrel Physio');
    await clients.locator('.unseen').first().waitFor({ state: 'detached' });
    assert.equal(await lines.count(), known + 2);
    assert.ok(!(await lines.allTextContents()).join().includes('New'));

    // What comes while the list is looked at stands in it, and is seen there.
    await pieter.book(times.shift());
    await eventually(async () => assert.equal(await lines.count(), known + 3));
    await bell(clients, 0);
    // But not while it is behind.
    await behind(clients, true);
    await pieter.book(times.shift());
    await bell(clients, 1);
    await titled(clients, '(1) Notifications · Kestrel Physio');
    await clients.waitForTimeout(1500);
    await bell(clients, 1);
    await behind(clients, false);
    await bell(clients, 0);
    await assertAsFresh(t, clients);
  });

  await t.test('who follows a line at once has seen the list too', async (t) => {
    await pieter.book(times.shift());
    const page = await opened(t, OWNER, '/admin');
    await bell(page, 1);
    await page.locator('a.bell:visible').click();
    const line = page.locator('[data-notification] a').first();
    await line.click();
    await page.locator('#sheet[open] h2').waitFor();
    await page.goto('/admin');
    await live(page);
    await bell(page, 0);
  });

  await t.test('a client’s phone tells of a session that staff cancelled', async (t) => {
    const phone = await opened(t, OTHER_CLIENT, '/', PHONE);
    await bell(phone, 0);
    const booking = await pieter.book(times.shift());
    await owner.cancel(booking);
    await bell(phone, 1);
    assert.ok(await phone.locator('#bell-bar').isVisible());
    await phone.getByRole('link', { name: 'Notifications 1 unread', exact: true }).click();
    const line = phone.locator('[data-notification]').first();
    assert.match(await line.textContent(), /^Your session on .* was cancelled New /);
    await bell(phone, 0);
    const target = await line.locator('a').boundingBox();
    assert.ok(target.height >= 44, `${target.height} px`);
    await line.locator('a').click();
    await phone.locator('#sheet[open]', { hasText: 'Cancelled' }).waitFor();
  });

  await t.test('it works without scripts', async (t) => {
    await pieter.book(times.shift());
    const page = await openPage(t, browser, server, { javaScriptEnabled: false });
    await signIn(page, OWNER);
    await page.locator('a.bell:visible').click();
    // The session that staff cancelled had been booked, and now another one.
    assert.equal(await page.locator('.unseen').count(), 2);
    assert.equal(await page.locator('#bell-side').textContent(), '2 unread');
    await page.getByRole('button', { name: 'Mark all as seen' }).click();
    await page.locator('#bell-side[hidden]').waitFor({ state: 'attached' });
    assert.equal(new URL(page.url()).pathname, '/notifications');
    assert.equal(await page.locator('.unseen').count(), 0);
    assert.ok((await page.locator('[data-notification]').count()) > 1);
  });
});
