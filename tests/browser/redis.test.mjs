// Whoever works in the business is told when changes made at other instances come late; whoever only books is not, because
// three seconds are nothing to them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIENT, OWNER, eventually, launch, neverReloaded, nextWeek, openLive, openPage, signIn } from './harness.mjs';
import { freshBusiness, startInstances, startRedis } from './proxies.mjs';

/// Three seconds until Redis counts as silent, or five until it is heard again, and a heartbeat every five; and some more
/// for a busy machine.
const TOLD = 25_000;

/// A live page of someone, with the heartbeats that it gets and every word of its status from then on.
async function watched(t, browser, instance, email, path) {
  const page = await openPage(t, browser, instance);
  await signIn(page, email);
  const heartbeats = [];
  page.on('websocket', (socket) => {
    socket.on('framereceived', ({ payload }) => {
      if (String(payload).startsWith('{"hb"')) heartbeats.push(JSON.parse(payload));
    });
  });
  await openLive(page, path);
  await says(page, 'Live');
  await page.evaluate(() => {
    window.told = [];
    const note = () => {
      for (const status of document.querySelectorAll('#live-status, [data-live-status]')) {
        if (status.textContent !== window.told.at(-1)) window.told.push(status.textContent);
      }
    };
    note();
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  return { page, heartbeats, told: () => page.evaluate(() => window.told) };
}

/// Waits until the status for the eye and the one for readers say this and nothing else.
async function says(page, words) {
  const all = (words) =>
    [...document.querySelectorAll('#live-status, [data-live-status]')].every((one) => one.textContent === words);
  await page.waitForFunction(all, words, { timeout: TOLD });
}

test('while Redis is away staff are told that others come late, and clients are not', { timeout: 120_000 }, async (t) => {
  const browser = await launch(t);
  const redis = await startRedis(t);
  const env = { ...(await freshBusiness()), PORTICO_REDIS_URL: redis.url };
  const [instance] = await startInstances(t, 1, env);
  const desk = await watched(t, browser, instance, OWNER, '/admin');
  const client = await watched(t, browser, instance, CLIENT, nextWeek());
  const checks = await Promise.all([neverReloaded(desk.page), neverReloaded(client.page)]);

  await redis.kill();
  await says(desk.page, 'Live, up to 3 s late');
  // What could tell the client has come by then.
  const before = client.heartbeats.length;
  await eventually(() => assert.ok(client.heartbeats.length > before));
  await startRedis(t, redis.port);
  await says(desk.page, 'Live');

  assert.deepEqual(await desk.told(), ['Live', 'Live, up to 3 s late', 'Live']);
  assert.deepEqual(await client.told(), ['Live']);
  assert.ok(client.heartbeats.every((heartbeat) => !('slow' in heartbeat)));
  for (const check of checks) await check();
});
