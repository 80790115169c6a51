// The server goes down without a word and comes back to another state of things.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  CLIENT,
  OTHER_CLIENT,
  OWNER,
  Person,
  assertAsFresh,
  becomes,
  forgiving,
  launch,
  live,
  neverReloaded,
  nextWeek,
  openLive,
  openPage,
  signIn,
  startDemo,
  startServe,
} from './harness.mjs';

test('killed, changed and started again', { timeout: 90_000 }, async (t) => {
  const server = await startDemo(t);
  const env = { PORTICO_DATABASE_URL: `sqlite:${join(server.dir, 'portico-demo.db')}` };
  const browser = await launch(t);
  const before = await Person.signIn(server, OTHER_CLIENT);
  const [early, time, late] = await before.free(nextWeek(1));
  const bookingBefore = await before.book(early);
  const [thandis, naledis] = await Promise.all([openPage(t, browser, server), openPage(t, browser, server)]);
  await Promise.all([signIn(thandis, CLIENT), signIn(naledis, OWNER)]);
  await openLive(thandis, `${nextWeek(1)}&staff=${time.staff}`);
  await openLive(naledis, '/admin');
  const pages = [thandis, naledis];
  const checks = await Promise.all(pages.map(neverReloaded));
  await becomes(thandis, early, 'taken');
  await becomes(thandis, time, 'free');

  const refused = /WebSocket connection to .* failed|htmx:ws:error/;
  await forgiving(thandis, refused, () =>
    forgiving(naledis, refused, async () => {
      await server.kill();
      for (const page of pages) {
        await page.waitForFunction(() => document.documentElement.dataset.live === 'connecting');
        assert.match(await page.locator('#live-status').textContent(), /^Reconnecting…/);
      }

      const other = await startServe(t, env);
      const pieter = await Person.signIn(other, OTHER_CLIENT);
      await pieter.cancel(bookingBefore);
      await pieter.book(time);
      await other.kill();
      // Nothing of this can have reached the pages yet.
      await becomes(thandis, early, 'taken');
      await becomes(thandis, time, 'free');

      await server.restart({ args: ['serve'], env });
      for (const page of pages) await live(page);
    }),
  );
  await becomes(thandis, early, 'free');
  await becomes(thandis, time, 'taken');
  await naledis.locator('#activity-lines > li:first-child', { hasText: 'Pieter Botha booked' }).waitFor();
  for (const page of pages) {
    assert.equal(await page.locator('#live-status').textContent(), 'Live');
    await assertAsFresh(t, page);
  }

  // And it goes on from there.
  const after = await Person.signIn(server, OTHER_CLIENT);
  await after.book(late);
  await becomes(thandis, late, 'taken');
  for (const page of pages) await assertAsFresh(t, page);
  for (const check of checks) await check();
});

test('a message that nobody took stays where it was typed', { timeout: 60_000 }, async (t) => {
  const server = await startDemo(t);
  const env = { PORTICO_DATABASE_URL: `sqlite:${join(server.dir, 'portico-demo.db')}` };
  const page = await openPage(t, await launch(t), server);
  await signIn(page, CLIENT);
  await openLive(page, '/messages');
  const send = page.locator('#composer button[type=submit]');
  const refused = /WebSocket connection to .* failed|htmx:ws:error|ERR_CONNECTION|Failed to fetch|htmx:error/;
  await forgiving(page, refused, async () => {
    await server.kill();
    await page.locator('#composer-body').fill('I am ten minutes late');
    await send.click();
    await page.locator('#composer > .unsaved', { hasText: 'It may not be saved' }).waitFor();
    assert.equal(await page.locator('#composer-body').inputValue(), 'I am ten minutes late');
    await server.restart({ args: ['serve'], env });
    await live(page);
  });
  await send.click();
  const sent = page.locator('#messages > li', { hasText: 'I am ten minutes late' });
  await sent.waitFor();
  assert.equal(await sent.count(), 1);
  assert.equal(await page.locator('.unsaved').count(), 0);
  await page.waitForFunction(() => document.getElementById('composer-body').value === '');
});
