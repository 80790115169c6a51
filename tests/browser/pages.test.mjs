// Every page as the checkers see it: valid html, no violation of the rules for accessibility in either theme, and nothing
// that has to be scrolled to the side.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CLIENT,
  OTHER_CLIENT,
  OWNER,
  Person,
  assertAccessible,
  assertValidHtml,
  forgiving,
  launch,
  live,
  nextWeek,
  openPage,
  signIn,
  slot,
  startDemo,
} from './harness.mjs';

const WIDTHS = [320, 390, 1280];

test('every page', { timeout: 300_000 }, async (t) => {
  const server = await startDemo(t);
  const browser = await launch(t);
  const pieter = await Person.signIn(server, OTHER_CLIENT);
  const [time, taken, dropped] = await pieter.free(nextWeek(1));
  const booking = await pieter.book(taken);
  const owner = await Person.signIn(server, OWNER);
  // Something to tell either side.
  await owner.cancel(await pieter.book(dropped));
  const client = /\/admin\/clients\/[0-9a-f-]{36}/.exec(await owner.get('/admin/clients'))[0];
  const welcome = new URL(/http:\S+\/welcome\/[\w-]+/.exec(await owner.get('/admin/settings/outbox'))[0]).pathname;
  const week = `${nextWeek(1)}&staff=${time.staff}`;
  const sheet = `/bookings/new?start=${time.start}&staff=${time.staff}`;
  const refused = `/bookings/new?start=${taken.start}&staff=${taken.staff}`;
  const thread = client.replace('clients', 'messages');
  const html = {};
  /// An invoice of Pieter's: of two lines, with a third that says a lot.
  const charge = async (act, price) => {
    const { client, key } = await owner.bill('Pieter Botha');
    const lines = [
      { words: 'Follow-up treatment', quantity: '1.5', price, tax: '15' },
      { words: 'Unprotectedwordswithoutablankthatgoonandonandonuntiltheendoftheline', quantity: '1', price: '1234567', tax: '0' },
    ];
    const typed = lines.flatMap((line, n) => Object.entries(line).map(([name, value]) => [`${name}-${n}`, value]));
    const fields = { client, key, act, due_on: '2027-01-31', prices: 'added', ...Object.fromEntries(typed) };
    const answer = await owner.post('/admin/invoices', fields);
    assert.equal(answer.status, 303, 'charged');
    return new URL(answer.headers.get('location'), server.base).pathname;
  };
  const [paid, unpaid, draft, withdrawn] = [
    await charge('issue', '850'),
    await charge('issue', '900'),
    await charge('draft', '950'),
    await charge('issue', '1000'),
  ];
  const setOut = async (invoice) => {
    const answer = await pieter.post(`${invoice}/pay`, {});
    return new URL(answer.headers.get('location'), server.base).pathname;
  };
  const pay = async (checkout) => assert.equal((await pieter.post(checkout, { outcome: 'pay' })).status, 303);
  const [settled, late, open] = [await setOut(paid), await setOut(withdrawn), await setOut(unpaid)];
  await owner.post(`/admin${withdrawn}/void`, { version: '2' });
  for (const checkout of [settled, late]) await pay(checkout);

  /// Looks at the page as it is now, at each width.
  const check = async (page, name) => {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 844 });
      const needed = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(needed <= width, `${name} is ${needed} wide on ${width}`);
      // Narrower than a phone, nothing else is shown than on one.
      if (width > 320) await assertAccessible(page);
    }
    html[name] = await page.content();
  };
  const visit = async (page, path, name = path) => {
    await page.goto(path);
    if (await page.locator('#live').count()) await live(page);
    await check(page, name);
    html[`${name}, as sent`] = await (await page.request.get(path)).text();
  };
  const enter = async (t, email) => {
    const page = await openPage(t, browser, server, { bypassCSP: true, reducedMotion: 'reduce' });
    if (email) await signIn(page, email);
    return page;
  };

  await t.test('of guests', async (t) => {
    const page = await enter(t);
    for (const path of ['/login', '/reset', welcome]) await visit(page, path);
    await forgiving(page, /status of 404/, () => visit(page, '/nothing'));
    await page.goto('/login');
    await page.getByLabel('E-mail').fill('nobody@kestrel.example');
    await page.getByLabel('Password').fill('not this one');
    await forgiving(page, /status of 422/, async () => {
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.locator('.note.bad').waitFor();
    });
    await check(page, 'refused sign-in');
    await page.goto('/reset');
    await page.getByLabel('E-mail').fill('nobody@kestrel.example');
    await page.getByRole('button', { name: 'Send the link' }).click();
    await page.getByText('on its way').waitFor();
    await check(page, 'link sent');
  });

  await t.test('of clients', async (t) => {
    const page = await enter(t, OTHER_CLIENT);
    for (const path of ['/invoices', unpaid, paid, withdrawn, open, settled]) await visit(page, path, `client ${path}`);
    for (const path of ['/', '/messages', '/messages?q=the', '/messages?before=4', '/bookings', '/bookings/history', week, booking, sheet, `/bookings?move=${booking.split('/').at(-1)}`, '/notifications']) {
      await visit(page, path);
    }
    await page.goto(week);
    await live(page);
    await page.locator(slot(time)).click();
    await page.locator('#sheet[open] h2').waitFor();
    await check(page, 'open sheet');
    await pieter.cancel(booking);
    await page.goto(booking);
    await check(page, 'cancelled session');
  });

  await t.test('of a client who comes too late', async (t) => {
    const page = await enter(t, CLIENT);
    await pieter.book(taken);
    await visit(page, refused);
  });

  await t.test('of staff with invoices', async (t) => {
    const page = await enter(t, OWNER);
    const shows = ['all', 'open', 'overdue', 'paid', 'draft', 'void', 'unapplied'];
    const filters = shows.map((show) => `/admin/invoices?show=${show}`);
    const paths = ['/admin/invoices', ...filters, '/admin/invoices/new', unpaid, paid, draft, withdrawn];
    for (const path of paths) await visit(page, path, `staff ${path}`);
    await page.goto('/admin/invoices/new');
    await page.locator('#words-0').fill('Tape');
    await forgiving(page, /status of 422/, async () => {
      await page.getByLabel('Client').selectOption({ label: 'Pieter Botha' });
      await page.getByRole('button', { name: 'Issue invoice' }).click();
      await page.locator('.note.bad').waitFor();
    });
    await check(page, 'refused invoice');
  });

  await t.test('of staff who look back', async (t) => {
    const page = await enter(t, OWNER);
    const over = /\/bookings\/[0-9a-f-]{36}/.exec(await owner.get('/admin/bookings?show=completed'))[0];
    for (const path of ['/admin/bookings', '/admin/bookings?show=no_show', over]) await visit(page, path, `staff ${path}`);
  });

  await t.test('of the owner who sets the business up', async (t) => {
    const page = await enter(t, OWNER);
    const settings = await owner.get('/admin/settings');
    const hours = /\/admin\/settings\/staff\/[0-9a-f-]{36}\/hours/.exec(settings)[0];
    const services = await owner.get('/admin/settings/services');
    const service = /\/admin\/settings\/services\/[0-9a-f-]{36}/.exec(services)[0];
    for (const path of ['/admin/settings/rules', '/admin/settings/services', '/admin/settings/services/new', service, hours]) await visit(page, path);
    await page.getByLabel('Monday').fill('8 to 5');
    await forgiving(page, /status of 422/, async () => {
      await page.getByRole('button', { name: 'Save the week' }).click();
      await page.locator('#day-0-wrong').waitFor();
    });
    await check(page, 'refused hours');
    await page.goto('/admin/settings/services/new');
    await forgiving(page, /status of 422/, async () => {
      await page.getByRole('button', { name: 'Save' }).click();
      await page.locator('#price-wrong').waitFor();
    });
    await check(page, 'refused service');
    await page.goto('/admin/settings/services');
    await forgiving(page, /status of 422/, async () => {
      await page.getByRole('button', { name: /^Retire/ }).first().click();
      await page.locator('#stranded').waitFor();
    });
    await check(page, 'sessions that a change would strand');
  });

  await t.test('of staff', async (t) => {
    const page = await enter(t, OWNER);
    const calendar = week.replace('/bookings', '/admin/calendar');
    const messages = ['/admin/messages', '/admin/messages?q=the', '/admin/messages?q=nowhere', thread];
    const paths = ['/admin', '/admin/calendar', calendar, '/admin/clients', client, '/admin/waits', sheet, '/admin/settings', '/notifications', '/account', '/admin/settings/outbox'];
    for (const path of messages) await visit(page, path);
    await page.goto(thread);
    await live(page);
    await page.getByLabel('Your message').fill('\u0007');
    await forgiving(page, /status of 422/, async () => {
      await page.getByRole('button', { name: 'Send' }).click();
      await page.locator('#composer .note.bad').waitFor();
    });
    await check(page, 'refused message');
    for (const path of paths) await visit(page, path);
    await page.locator('summary').first().click();
    await check(page, 'read mail');
    await page.goto(calendar);
    await live(page);
    await page.locator(slot(time)).click();
    await page.locator('#sheet[open] h2').waitFor();
    await check(page, 'open sheet of staff');
  });

  await t.test('is valid html', () => assertValidHtml(html));
});
