// A server, a browser, and what both must never show. A journey calls these with its test `t`;
// whatever was started for it ends with it, passed or failed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const PASSWORD = 'kestrel-demo-2026';
export const OWNER = 'naledi@kestrel.example';
export const CLIENT = 'thandi@kestrel.example';
export const OTHER_CLIENT = 'pieter@kestrel.example';

const module = (name) => fileURLToPath(new URL(`node_modules/${name}`, import.meta.url));

/// Ends what was started last first, and all of it: node gives up on the hooks behind one that
/// throws, and a server or a browser that is left keeps the whole run from ending.
const endings = new WeakMap();

export function atEnd(t, end) {
  if (!endings.has(t)) {
    endings.set(t, []);
    t.after(async () => {
      const errors = [];
      for (const end of endings.get(t).reverse()) {
        await Promise.resolve().then(end).catch((error) => errors.push(error));
      }
      if (errors.length) throw errors[0];
    });
  }
  endings.get(t).push(end);
}

export async function temporaryFolder(t) {
  const dir = await mkdtemp(join(tmpdir(), 'portico-browser-'));
  atEnd(t, () => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  return dir;
}

// --- The server ---------------------------------------------------------------------------------

/// A quiet demo in a folder of its own.
export async function startDemo(t, dir) {
  dir ??= await temporaryFolder(t);
  return Server.start(t, (port) => ({ args: ['demo', '--quiet', '--port', port, '--dir', dir] }), { dir });
}

/// `serve` with these settings; the port is the server's choice unless one is given.
export async function startServe(t, env, port = 0) {
  const command = (port) => ({ args: ['serve'], env: { PORTICO_BIND: `127.0.0.1:${port}`, ...env } });
  return Server.start(t, command, { port });
}

class Server {
  static async start(t, command, { dir, port = 0 }) {
    const server = new Server();
    Object.assign(server, { command, dir, port, output: '' });
    atEnd(t, () => server.kill());
    await server.#spawn();
    return server;
  }

  async #spawn() {
    assert.ok(process.env.PORTICO_BIN, 'PORTICO_BIN is not set: run this through bin/test');
    const { args, env } = this.command(String(this.port));
    // Settings of whoever runs the tests must not reach the server.
    const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('PORTICO_'));
    this.output = '';
    this.child = spawn(process.env.PORTICO_BIN, args, {
      env: { ...Object.fromEntries(clean), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // Read to the end: a full pipe would stop the server in the middle of a line.
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.output += text));
    }
    await once(this.child, 'spawn');
    await this.#ready();
  }

  async #ready() {
    const until = Date.now() + 20_000;
    while (Date.now() < until) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) break;
      const printed = /http:\/\/127\.0\.0\.1:(\d+)/.exec(this.output);
      if (printed && printed[1] !== '0') {
        this.port = Number(printed[1]);
        this.base = printed[0];
        const answer = await fetch(`${this.base}/healthz`).catch(() => null);
        if (answer?.ok) return;
      }
      await delay(20);
    }
    throw new Error(`the server did not come up:\n${this.output}`);
  }

  /// As a power cut ends it: nothing is said to any browser and nothing is written any more.
  async kill() {
    if (!this.child?.pid || this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  /// On the same port, so that open pages find it. A demo is made anew; to keep what it held, start
  /// with `{ args: ['serve'], env: { PORTICO_DATABASE_URL: .. } }`.
  async restart(command) {
    await this.kill();
    const bind = { PORTICO_BIND: `127.0.0.1:${this.port}` };
    if (command) this.command = () => ({ ...command, env: { ...bind, ...command.env } });
    await this.#spawn();
  }
}

// --- The browser --------------------------------------------------------------------------------

/// A browser with a profile of its own; it makes no call to anywhere but the pages it is sent to.
export async function launch(t) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  atEnd(t, () => browser.close());
  return browser;
}

/// A page in a fresh context, so with cookies of its own. `options` are the context's; axe() needs
/// `bypassCSP: true`, and such a page proves nothing about the policy.
export async function openPage(t, browser, server, options = {}) {
  const context = await browser.newContext({ baseURL: server.base, ...options });
  context.setDefaultTimeout(15_000);
  atEnd(t, () => context.close());
  return openTab(t, context);
}

/// Another page that shares the cookies of `context`.
export async function openTab(t, context) {
  const page = await context.newPage();
  watch(t, page);
  return page;
}

export async function signIn(page, email, password = PASSWORD) {
  await page.goto('/login');
  await page.locator('input[name=email]').fill(email);
  await page.locator('input[name=password]').fill(password);
  await page.locator('input[name=password]').press('Enter');
  await page.waitForURL((url) => url.pathname !== '/login');
}

/// The page has a socket, and says so.
export async function live(page) {
  await page.waitForFunction(() => document.documentElement.dataset.live === 'live');
}

/// Opens a page and waits until it is live.
export async function openLive(page, path) {
  await page.goto(path);
  await live(page);
}

/// Where a slot stands in the client's calendar.
export const slot = ({ start }) => `button[data-slot="${start}"]`;

/// Waits until a slot is `free`, `taken` or `mine`.
export async function becomes(page, time, state) {
  await page.locator(`${slot(time)}[data-state="${state}"]`).waitFor({ state: 'attached' });
}

/// Marks the page as it is; gives a check that it was never loaded anew.
export async function neverReloaded(page) {
  await page.evaluate(() => (window.stillHere = true));
  return async () => assert.ok(await page.evaluate(() => window.stillHere), 'the page was loaded anew');
}

/// All live regions of a page, with attributes in a fixed order and without what only a script adds.
export async function regions(page) {
  return page.evaluate(() => {
    const show = (node, depth) => {
      const indent = '  '.repeat(depth);
      if (node.nodeType === Node.TEXT_NODE) return node.data.trim() ? `${indent}${node.data}` : [];
      if (node.nodeType !== Node.ELEMENT_NODE) return [];
      const attributes = [...node.attributes]
        .map(({ name, value }) => [name, name === 'class' ? value.split(/\s+/).filter((c) => c && c !== 'just').join(' ') : value])
        .filter(([name, value]) => name !== 'data-htmx-powered' && !(name === 'class' && !value))
        .map(([name, value]) => ` ${name}="${value}"`);
      const children = [...node.childNodes].flatMap((child) => show(child, depth + 1));
      return [`${indent}<${node.localName}${attributes.sort().join('')}>`, ...children];
    };
    return [...document.querySelectorAll('[data-region]')].flatMap((region) => show(region, 0)).join('\n');
  });
}

/// Waits until a page shows exactly what a fresh load of it shows; an empty page would prove nothing.
export async function assertAsFresh(t, page) {
  const fresh = await openTab(t, page.context());
  await fresh.goto(page.url());
  const expected = await regions(fresh);
  assert.ok(expected.includes('\n'), 'the page has no live region');
  await eventually(async () => assert.equal(await regions(page), expected));
  await fresh.close();
}

/// Repeats `check` until it passes, or for ten seconds.
export async function eventually(check) {
  const until = Date.now() + 10_000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > until) throw error;
      await delay(50);
    }
  }
}

// --- A client without a browser: whoever else books meanwhile ------------------------------------

export class Person {
  static async signIn(server, email, password = PASSWORD) {
    const person = new Person();
    person.base = server.base;
    const answer = await person.post('/login', { email, password });
    assert.equal(answer.status, 303, 'signed in');
    person.cookie = answer.headers.get('set-cookie').split(';')[0];
    return person;
  }

  async get(path) {
    const answer = await fetch(this.base + path, { headers: this.#headers(), redirect: 'manual' });
    assert.equal(answer.status, 200, path);
    return answer.text();
  }

  async post(path, fields) {
    const body = new URLSearchParams(fields);
    const headers = { ...this.#headers(), origin: this.base, 'sec-fetch-site': 'same-origin' };
    return fetch(this.base + path, { method: 'POST', headers, body, redirect: 'manual' });
  }

  #headers() {
    return this.cookie ? { cookie: this.cookie } : {};
  }

  /// Free times of a week as `{ start, staff }`, in the order of the days.
  async free(path) {
    const page = await this.get(path);
    const buttons = tags(page, 'button').filter((button) => button['data-state'] === 'free');
    return buttons.map((button) => ({ start: button['data-slot'], staff: button['data-staff'] }));
  }

  /// The services of the sheet for a time: `{ id, fits }`, and the key.
  async sheet({ start, staff }) {
    const inputs = tags(await this.get(`/bookings/new?start=${start}&staff=${staff}`), 'input');
    const services = inputs
      .filter(({ name }) => name === 'service')
      .map((input) => ({ id: input.value, fits: input.disabled === undefined }));
    return { services, key: inputs.find(({ name }) => name === 'key').value };
  }

  /// Books what fits first; gives the path of the booking.
  async book(time) {
    const { services, key } = await this.sheet(time);
    const service = services.find(({ fits }) => fits).id;
    const answer = await this.post('/bookings', { ...time, service, key });
    assert.equal(answer.status, 303, `booked ${time.start}`);
    return new URL(answer.headers.get('location'), this.base).pathname;
  }

  async cancel(booking) {
    const page = await this.get(booking);
    const version = tags(page, 'input').find(({ name }) => name === 'version').value;
    const answer = await this.post(`${booking}/cancel`, { version });
    assert.equal(answer.status, 303, 'cancelled');
  }

  /// What the form for a client's invoice brings along: the client's id, and the key.
  async bill(name) {
    const page = await this.get('/admin/invoices/new');
    const client = new RegExp(`value="([^"]*)"[^>]*>${name}<`).exec(page)[1];
    return { client, key: tags(page, 'input').find((input) => input.name === 'key').value };
  }

  /// The paths of all that is still to come.
  async coming() {
    const page = await this.get('/bookings');
    return [...new Set(page.match(/\/bookings\/[0-9a-f-]{36}(?=")/g) ?? [])];
  }
}

/// The attributes of each tag of that name. Ours are written by one template library, in one form.
function tags(html, name) {
  return [...html.matchAll(new RegExp(`<${name}\\b([^>]*)>`, 'g'))].map(([, inside]) =>
    Object.fromEntries([...inside.matchAll(/([a-z-]+)(?:="([^"]*)")?/g)].map(([, key, value = '']) => [key, value])),
  );
}

/// The client's calendar of a coming week, a full one of seven days ahead: `/bookings?week=2026-W48`.
export function nextWeek(weeks = 1) {
  const day = new Date(Date.now() + weeks * 7 * 24 * 3600_000);
  // The ISO week is that of its Thursday.
  day.setUTCDate(day.getUTCDate() + 4 - (day.getUTCDay() || 7));
  const week = Math.ceil(((day - Date.UTC(day.getUTCFullYear(), 0, 1)) / 86_400_000 + 1) / 7);
  return `/bookings?week=${day.getUTCFullYear()}-W${String(week).padStart(2, '0')}`;
}

/// What a page complained of. Kept per page; the test fails at its end if anything is left.
const complaints = new WeakMap();

function watch(t, page) {
  const kept = { list: [], forgiven: [] };
  complaints.set(page, kept);
  const note = (text) => {
    if (!kept.forgiven.some((pattern) => pattern.test(text))) kept.list.push(text);
  };
  page.on('pageerror', (error) => note(`error: ${error.stack ?? error}`));
  page.on('console', (message) => {
    const text = `${message.text()} (${message.location().url})`;
    if (message.type() === 'error') note(`console: ${text}`);
    // Chromium prints most of the reports itself, but none that only a listener hears.
    if (message.type() === 'debug' && message.text().startsWith('csp report')) note(text);
  });
  page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.debug('csp report', event.effectiveDirective, event.blockedURI, event.sourceFile, event.lineNumber);
    });
  });
  atEnd(t, () => assertClean(page));
}

export async function assertClean(page) {
  await delivered(page);
  assert.deepEqual(complaints.get(page).list, [], 'the page complained');
}

/// Runs `journey` while complaints that match are forgiven, such as a failed reconnect to a server
/// that was just killed, or Chromium's own line about each answer of 409.
export async function forgiving(page, pattern, journey) {
  const { forgiven } = complaints.get(page);
  forgiven.push(pattern);
  try {
    return await journey();
  } finally {
    await delivered(page);
    forgiven.splice(forgiven.indexOf(pattern), 1);
  }
}

/// What a page says comes in order: after this answer nothing said before it is still on its way.
async function delivered(page) {
  await page.evaluate('0').catch(() => {});
}

// --- The checkers -------------------------------------------------------------------------------

/// Whole pages by name, as `{ home: '<!doctype html>..' }`; gives what the Nu checker says of them.
/// One call for many pages: each call starts a Java.
export async function vnu(pages) {
  const dir = await mkdtemp(join(tmpdir(), 'portico-vnu-'));
  try {
    const names = Object.keys(pages);
    const files = names.map((_, number) => join(dir, `${number}.html`));
    await Promise.all(files.map((file, number) => writeFile(file, pages[names[number]])));
    const filter = ['--filterpattern', '.*Attribute “hx-.*'];
    const args = ['-jar', module('vnu-jar/build/dist/vnu.jar'), '--format', 'json', ...filter, ...files];
    // Java reads its arguments in the locale's encoding: in plain C the filter's quote matches nothing.
    const child = spawn('java', args, {
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
    await once(child, 'close');
    const answer = output.split('\n').find((line) => line.startsWith('{'));
    assert.ok(answer, `the checker did not run: ${output}`);
    const { messages } = JSON.parse(answer);
    return messages.map(({ url, type, subType, lastLine, message, extract }) => {
      const page = url ? names[parseInt(basename(url), 10)] : 'all';
      return `${page}:${lastLine}: ${subType ?? type}: ${message} ${extract ?? ''}`;
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

export async function assertValidHtml(pages) {
  assert.deepEqual(await vnu(pages), [], 'the Nu checker complained');
}

/// What axe finds on the page as it is now, in the light and in the dark theme.
export async function axe(page) {
  const source = await readFile(module('axe-core/axe.min.js'), 'utf8');
  const found = [];
  for (const colorScheme of ['light', 'dark']) {
    // A colour half-way through its transition has a contrast of its own.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await page.evaluate(source);
    const { violations } = await page.evaluate(() => axe.run());
    for (const { id, help, nodes } of violations) {
      const where = nodes.map((node) => `${node.target.join(' ')}: ${node.failureSummary}`).join('\n  ');
      found.push(`${colorScheme} ${new URL(page.url()).pathname}: ${id}: ${help}\n  ${where}`);
    }
  }
  return found;
}

export async function assertAccessible(page) {
  assert.deepEqual(await axe(page), [], 'axe complained');
}
