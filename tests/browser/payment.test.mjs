// Charging and paying: what staff issue and a client pays stands on every open page of both, and nothing is loaded anew.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CLIENT,
  OWNER,
  assertAsFresh,
  eventually,
  launch,
  live,
  neverReloaded,
  openLive,
  openPage,
  openTab,
  signIn,
  startDemo,
} from './harness.mjs';

/// Fills in the form for an invoice and issues it; gives its id.
async function issue(page, price) {
  await page.goto('/admin/invoices/new');
  await page.getByLabel('Client').selectOption({ label: 'Thandi Mokoena' });
  await page.locator('#words-0').fill('Follow-up treatment');
  await page.locator('#price-0').fill(price);
  await page.getByRole('button', { name: 'Issue invoice' }).click();
  await page.waitForURL(/\/invoices\/[0-9a-f-]{36}$/);
  return new URL(page.url()).pathname.split('/').at(-1);
}

/// From the list to the payment page.
async function toPaymentPage(page, id) {
  await page.locator(`form[action="/invoices/${id}/pay"] button`).click();
  await page.waitForURL('**/sandbox/*');
  await page.getByRole('heading', { name: /^Pay R/ }).waitFor();
}

async function press(page, id, name) {
  await page.getByRole('button', { name, exact: true }).click();
  await page.waitForURL(`**/invoices/${id}?from=payment`);
}

test('paying', { timeout: 120_000 }, async (t) => {
  const server = await startDemo(t);
  const browser = await launch(t);

  await t.test('an invoice and its payment stand on every open page', async (t) => {
    const [pays, issues] = await Promise.all([openPage(t, browser, server), openPage(t, browser, server)]);
    await Promise.all([signIn(pays, CLIENT), signIn(issues, OWNER)]);
    const [home, list, ledger, desk] = await Promise.all([
      openTab(t, pays.context()),
      openTab(t, pays.context()),
      openTab(t, issues.context()),
      openTab(t, issues.context()),
    ]);
    await openLive(home, '/');
    await openLive(list, '/invoices');
    await openLive(ledger, '/admin/invoices');
    await openLive(desk, '/admin');
    const watching = [home, list, ledger, desk];
    const checks = await Promise.all(watching.map(neverReloaded));
    const open = async () => Number(await ledger.locator('#show-open').getAttribute('data-amount'));
    const outstanding = () => desk.locator('#kpi-outstanding b').textContent();
    const [before, owed, todos] = [await open(), await outstanding(), await home.locator('[data-todo=pay]').count()];

    const id = await issue(issues, '850');
    const row = (status) => `tr[data-invoice="${id}"][data-status="${status}"]`;
    await list.locator(row('open')).waitFor();
    await ledger.locator(row('open')).waitFor();
    const todo = home.locator('[data-todo=pay]', { has: home.locator(`a[href="/invoices/${id}"]`) });
    await todo.waitFor();
    await desk.locator('#activity-lines > li:first-child', { hasText: 'Thandi Mokoena was sent' }).waitFor();
    assert.equal(await open(), before + 85_000);
    await eventually(async () => assert.notEqual(await outstanding(), owed));

    await pays.goto('/invoices');
    await live(pays);
    await toPaymentPage(pays, id);
    await press(pays, id, 'Pay');
    await pays.locator('#invoice-head[data-status=paid]').waitFor();
    assert.equal(await pays.getByRole('button', { name: 'Pay now' }).count(), 0);

    await list.locator(row('paid')).waitFor();
    await list.locator(`form[action="/invoices/${id}/pay"]`).waitFor({ state: 'detached' });
    await todo.waitFor({ state: 'detached' });
    await ledger.locator(row('paid')).waitFor();
    await desk.locator('#activity-lines > li:first-child', { hasText: 'Thandi Mokoena paid' }).waitFor();
    await eventually(async () => {
      assert.equal(await open(), before);
      assert.equal(await outstanding(), owed);
      assert.equal(await home.locator('[data-todo=pay]').count(), todos);
    });
    for (const page of watching) await assertAsFresh(t, page);
    for (const check of checks) await check();
  });

  await t.test('a payment fails, is tried again, and is told later', async (t) => {
    const [pays, issues] = await Promise.all([openPage(t, browser, server), openPage(t, browser, server)]);
    await Promise.all([signIn(pays, CLIENT), signIn(issues, OWNER)]);
    const id = await issue(issues, '640.50');
    await live(issues);
    const check = await neverReloaded(issues);
    await openLive(pays, `/invoices/${id}`);
    await toPaymentPage(pays, id);
    await press(pays, id, 'Fail');
    await pays.locator('#invoice-head[data-status=open]').waitFor();
    await toPaymentPage(pays, id);
    await press(pays, id, 'Pay, and tell the portal later');
    await pays.locator('.note.info', { hasText: 'as soon as we are told' }).waitFor();
    await pays.locator('#invoice-head[data-status=open]').waitFor();
    await live(pays);
    const stays = await neverReloaded(pays);
    await pays.locator('#invoice-head[data-status=paid]').waitFor();
    await issues.locator('#invoice-head[data-status=paid]').waitFor();
    assert.match(await issues.locator('#invoice-money').textContent(), /^Paid R\s640\.50 on/);
    assert.equal(await issues.getByText('Void invoice', { exact: true }).count(), 0);
    await assertAsFresh(t, issues);
    await stays();
    await check();
  });

  await t.test('what is withdrawn while the client pays is to be given back', async (t) => {
    const [pays, issues] = await Promise.all([openPage(t, browser, server), openPage(t, browser, server)]);
    await Promise.all([signIn(pays, CLIENT), signIn(issues, OWNER)]);
    const id = await issue(issues, '120');
    await openLive(pays, `/invoices/${id}`);
    await toPaymentPage(pays, id);
    const ledger = await openTab(t, issues.context());
    await openLive(ledger, '/admin/invoices?show=unapplied');
    await issues.getByText('Void invoice', { exact: true }).click();
    await issues.getByRole('button', { name: 'Yes, void invoice' }).click();
    await issues.locator('#invoice-head[data-status=void]').waitFor();
    await live(issues);
    await press(pays, id, 'Pay');
    await pays.locator('#invoice-money .note', { hasText: 'We will give it back' }).waitFor();
    await issues.locator('#invoice-money .note', { hasText: 'Give it back' }).waitFor();
    await ledger.locator(`tr[data-invoice="${id}"][data-status=void]`).waitFor();
    for (const page of [issues, ledger]) await assertAsFresh(t, page);
  });

  await t.test('without scripts', async (t) => {
    const options = { javaScriptEnabled: false };
    const [pays, issues] = await Promise.all([
      openPage(t, browser, server, options),
      openPage(t, browser, server, options),
    ]);
    await Promise.all([signIn(pays, CLIENT), signIn(issues, OWNER)]);
    const id = await issue(issues, '75');
    await pays.goto('/invoices');
    await toPaymentPage(pays, id);
    await press(pays, id, 'Fail');
    await toPaymentPage(pays, id);
    await press(pays, id, 'Pay');
    assert.equal(await pays.locator('#invoice-head').getAttribute('data-status'), 'paid');
    await issues.goto(`/admin/invoices?show=paid`);
    assert.equal(await issues.locator(`tr[data-invoice="${id}"]`).count(), 1);
    const other = await issue(issues, '76');
    await issues.getByText('Void invoice', { exact: true }).click();
    await issues.getByRole('button', { name: 'Yes, void invoice' }).click();
    await issues.waitForURL(`**/invoices/${other}`);
    assert.equal(await issues.locator('#invoice-head').getAttribute('data-status'), 'void');
  });
});
