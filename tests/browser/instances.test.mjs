// A browser on each of three instances: what is booked at one stands on the pages of the others, in a blink with Redis and
// within a sweep without; and what stands between a browser and the instances does not cut or hide anything.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CLIENT,
  OTHER_CLIENT,
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
  slot,
} from './harness.mjs';
import { freshBusiness, startHaproxy, startInstances, startNginx } from './proxies.mjs';

/// Milliseconds from the answer to a booking, or to its end, until each page shows it: one number for each change and page.
async function latencies(pages, people, times) {
  const all = [];
  const change = async (time, state, write) => {
    await Promise.all(pages.map((page) => page.evaluate(seen, `${slot(time)}[data-state="${state}"]`)));
    const result = await write();
    const answered = Date.now();
    for (const page of pages) {
      const shown = await page.waitForFunction(() => window.shownAt, null, { polling: 10 });
      all.push(Math.max(0, (await shown.jsonValue()) - answered));
    }
    return result;
  };
  for (const [number, time] of times.entries()) {
    // Whoever books is at one instance after the other.
    const booker = people[number % people.length];
    const booking = await change(time, 'taken', () => booker.book(time));
    const ender = people[(number + 1) % people.length];
    await change(time, 'free', () => ender.cancel(booking));
  }
  return all.sort((a, b) => a - b);
}

/// Notes when something that matches stands on the page.
function seen(selector) {
  window.shownAt = 0;
  const observer = new MutationObserver(() => {
    if (!document.querySelector(selector)) return;
    window.shownAt = Date.now();
    observer.disconnect();
  });
  observer.observe(document, { subtree: true, childList: true, attributes: true });
}

/// A page of the same calendar at each instance, and Pieter at each.
async function everywhere(t, browser, instances) {
  const people = await Promise.all(instances.map((instance) => Person.signIn(instance, OTHER_CLIENT)));
  const times = await people[0].free(nextWeek(3));
  const pages = [];
  for (const instance of instances) {
    const page = await openPage(t, browser, instance);
    await signIn(page, CLIENT);
    await openLive(page, `${nextWeek(3)}&staff=${times[0].staff}`);
    pages.push(page);
  }
  return { people, pages, times };
}

test('a browser on each of three instances', { timeout: 180_000 }, async (t) => {
  const browser = await launch(t);

  await t.test('with Redis a change is on every page in a blink', async (t) => {
    assert.ok(process.env.PORTICO_TEST_REDIS, 'PORTICO_TEST_REDIS is not set: run this through bin/test');
    const env = { ...(await freshBusiness()), PORTICO_REDIS_URL: process.env.PORTICO_TEST_REDIS };
    const { people, pages, times } = await everywhere(t, browser, await startInstances(t, 3, env));
    const checks = await Promise.all(pages.map(neverReloaded));
    // The first ones warm up what has never run.
    await latencies(pages, people, times.slice(0, 3));
    const all = await latencies(pages, people, times.slice(0, 30));
    const [p50, p99] = [0.5, 0.99].map((part) => all[Math.ceil(all.length * part) - 1]);
    t.diagnostic(`${all.length} changes shown: p50 ${p50} ms, p99 ${p99} ms, last ${all.at(-1)} ms`);
    assert.ok(p99 <= 300, `p99 is ${p99} ms`);
    for (const page of pages) await assertAsFresh(t, page);
    for (const check of checks) await check();
  });

  await t.test('without Redis it is there with the next sweep', async (t) => {
    const { people, pages, times } = await everywhere(t, browser, await startInstances(t, 3, await freshBusiness()));
    const all = await latencies(pages, people, times.slice(0, 5));
    t.diagnostic(`${all.length} changes shown: the last after ${all.at(-1)} ms`);
    assert.ok(all.at(-1) <= 3000, `the last after ${all.at(-1)} ms`);
    for (const page of pages) await assertAsFresh(t, page);
  });

});

test('between a browser and the instances', { timeout: 180_000 }, async (t) => {
  const browser = await launch(t);
  const env = await freshBusiness();
  const [instance] = await startInstances(t, 1, env);
  const pieter = await Person.signIn(instance, OTHER_CLIENT);
  const times = await pieter.free(nextWeek(3));
  const calendar = `${nextWeek(3)}&staff=${times[0].staff}`;

  await t.test('a proxy that gives up after 10 s keeps a page on which nothing happens', async (t) => {
    const nginx = await startNginx(t, [instance], { 'proxy_read_timeout 60s; # here': 'proxy_read_timeout 10s;' });
    const page = await openPage(t, browser, nginx);
    await signIn(page, CLIENT);
    const sockets = [];
    const heartbeats = new Promise((enough) => {
      let count = 0;
      page.on('websocket', (socket) => {
        sockets.push(socket);
        socket.on('framereceived', ({ payload }) => {
          if (String(payload).startsWith('{"hb"') && (count += 1) === 6) enough();
        });
      });
    });
    await openLive(page, calendar);
    // One is said at once and then one every 5 s: twice as long as the proxy waits.
    sockets.splice(0, sockets.length - 1);
    const check = await neverReloaded(page);
    await heartbeats;
    assert.deepEqual(sockets.map((socket) => socket.isClosed()), [false]);
    const booking = await pieter.book(times[0]);
    await becomes(page, times[0], 'taken');
    await pieter.cancel(booking);
    await becomes(page, times[0], 'free');
    await assertAsFresh(t, page);
    await check();
  });

  await t.test('where no socket gets through the page says so, and a reload shows what is', async (t) => {
    const nginx = await startNginx(t, [instance], {
      'proxy_set_header Upgrade $http_upgrade;': "proxy_set_header Upgrade '';",
    });
    const page = await openPage(t, browser, nginx);
    const refused = /WebSocket connection to .* failed|htmx:ws:error/;
    await forgiving(page, refused, async () => {
      await signIn(page, CLIENT);
      await page.goto(calendar);
      await page.waitForFunction(() => document.documentElement.dataset.live === 'connecting');
      assert.match(await page.locator('#live-status').textContent(), /^Reconnecting…/);
      await page.locator('#live-status', { hasText: /not live since \d\d:\d\d$/ }).waitFor();
      await becomes(page, times[1], 'free');
      await pieter.book(times[1]);
      await page.reload();
      await becomes(page, times[1], 'taken');
      // And who books there gets an answer without any socket.
      await page.locator(slot(times[2])).click();
      await page.getByRole('button', { name: 'Book this time' }).click();
      await page.locator('#sheet .note.ok').waitFor();
      await page.goto(calendar);
      await becomes(page, times[2], 'mine');
      assert.notEqual(await page.evaluate(() => document.documentElement.dataset.live), 'live');
      // It would go on trying when nothing is forgiven any more.
      await page.goto('about:blank');
    });
  });

  await t.test('through HAProxy pages are live', async (t) => {
    const haproxy = await startHaproxy(t, [instance]);
    const page = await openPage(t, browser, haproxy);
    await signIn(page, CLIENT);
    await openLive(page, calendar);
    const check = await neverReloaded(page);
    await pieter.book(times[3]);
    await becomes(page, times[3], 'taken');
    await live(page);
    await assertAsFresh(t, page);
    await check();
  });
});
