// A line that goes silent without a word, a tab that is frozen, a browser that stands still: the page never passes for live
// when it is not, and shows what is as soon as it can.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CLIENT,
  OTHER_CLIENT,
  Person,
  assertAsFresh,
  atEnd,
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
} from './harness.mjs';

/// P3: the longest that a page may look live on a line that is dead.
const TOLD = 15_000;
/// Row 15: the longest that a page may be wrong after it woke.
const RIGHT = 2000;
const HOUR = 3600_000;

/// A line to a server that can go silent: then nothing gets through either way, not even an end. What was open stays silent
/// for good; what is begun meanwhile is late.
async function startLine(t, server) {
  let silent = null;
  let heal = () => {};
  const ends = new Set();
  const listener = createServer(async (near) => {
    ends.add(near);
    near.on('error', () => near.destroy());
    await silent;
    if (near.destroyed) return;
    const far = connect(server.port, '127.0.0.1');
    ends.add(far);
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('data', (bytes) => from.dead || to.write(bytes));
      from.on('close', () => from.dead || to.destroy());
      from.on('error', () => from.destroy());
    }
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const giveUp = () => ends.forEach((end) => end.destroy());
  atEnd(t, () => {
    listener.close();
    heal();
    giveUp();
  });
  const { port } = listener.address();
  return {
    port,
    base: `http://127.0.0.1:${port}`,
    goSilent() {
      for (const end of ends) end.dead = true;
      silent = new Promise((resolve) => (heal = resolve));
    },
    heal() {
      silent = null;
      heal();
    },
    /// A browser would go on waiting for answers on what is silent for good.
    giveUp,
  };
}

/// Waits until all of it is shown, for as long as a page may be wrong.
async function isRight(page, times, began) {
  for (const time of times) await becomes(page, time, 'taken');
  const took = Date.now() - began;
  assert.ok(took <= RIGHT, `it was right only after ${took} ms`);
}

test('a page that hears nothing for a while', { timeout: 120_000 }, async (t) => {
  const server = await startDemo(t);
  const pieter = await Person.signIn(server, OTHER_CLIENT);
  const browser = await launch(t);
  const [{ staff }] = await pieter.free(nextWeek(4));
  const calendar = `${nextWeek(4)}&staff=${staff}`;
  // None is in another's way, however long it is.
  const times = (await pieter.free(calendar)).reduce((all, time) => {
    const last = all.at(-1)?.start ?? '1970-01-01';
    return Date.parse(time.start) - Date.parse(last) < 2 * HOUR ? all : [...all, time];
  }, []);
  /// Thandi's calendar, with how many frames it was sent.
  const opened = async (t, at = server) => {
    const page = await openPage(t, browser, at);
    await signIn(page, CLIENT);
    const frames = [];
    page.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => {
        if (String(payload).includes('"content"')) frames.push(payload);
      });
    });
    await openLive(page, calendar);
    return { page, frames, check: await neverReloaded(page) };
  };
  const book = async (count) => {
    const taken = times.splice(0, count);
    for (const time of taken) await pieter.book(time);
    return taken;
  };

  await t.test('a silent line is told, and the next one brings what was missed', async (t) => {
    const line = await startLine(t, server);
    const { page, check } = await opened(t, line);
    line.goSilent();
    const began = Date.now();
    const taken = await book(1);
    await page.locator('#live-status', { hasText: /not live since \d\d:\d\d$/i }).waitFor();
    const told = Date.now() - began;
    assert.ok(told <= TOLD, `it was told after ${told} ms`);
    assert.notEqual(await page.evaluate(() => document.documentElement.dataset.live), 'live');
    await becomes(page, taken[0], 'free');
    line.heal();
    await live(page);
    await becomes(page, taken[0], 'taken');
    await check();
    await forgiving(page, /WebSocket connection to .* failed|htmx:ws:error|ERR_/, async () => {
      line.giveUp();
      await assertAsFresh(t, page);
      await live(page);
    });
    t.diagnostic(`told after ${told} ms`);
  });

  await t.test('a frozen tab is right as soon as it wakes', async (t) => {
    const { page, frames, check } = await opened(t);
    const browserSide = await page.context().newCDPSession(page);
    await browserSide.send('Page.setWebLifecycleState', { state: 'frozen' });
    frames.length = 0;
    const taken = await book(3);
    await delay(1000);
    const began = Date.now();
    await browserSide.send('Page.setWebLifecycleState', { state: 'active' });
    await isRight(page, taken, began);
    assert.ok(frames.length <= 3, `${frames.length} frames for three changes`);
    await assertAsFresh(t, page);
    await check();
  });

  await t.test('a browser that stood still for longer than silence is borne is right as it goes on', async (t) => {
    const { page, check } = await opened(t);
    const session = await browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    assert.ok(renderers.length > 0, 'a page is drawn by a process');
    const signal = (name) => renderers.forEach((id) => process.kill(id, name));
    let taken, began;
    try {
      signal('SIGSTOP');
      taken = await book(3);
      await delay(14_000);
      began = Date.now();
    } finally {
      signal('SIGCONT');
    }
    await isRight(page, taken, began);
    await live(page);
    await assertAsFresh(t, page);
    await check();
  });
});
