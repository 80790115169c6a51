import { chromium } from 'playwright-core';
const base = process.argv[2], out = process.argv[3];
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox','--disable-gpu','--disable-quic','--no-first-run'] });
const shots = [
  ['thandi', '/messages', 'thread'], ['thandi', '/messages?q=knee', 'search'], ['aisha', '/messages?before=4', 'before'],
  ['naledi', '/admin/messages', 'list'], ['naledi', 'first', 'staff'],['naledi', '/admin/messages?q=thank', 'searchall'],
];
for (const scheme of ['light','dark']) for (const width of [390,1280]) {
  const pages = {};
  for (const [who, path, name] of shots) {
    if (!pages[who]) {
      const ctx = await browser.newContext({ baseURL: base, viewport: { width, height: width === 390 ? 844 : 860 }, colorScheme: scheme });
      const page = await ctx.newPage();
      await page.goto('/login');
      await page.fill('input[name=email]', who + '@kestrel.example'); await page.fill('input[name=password]', 'kestrel-demo-2026');
      await page.press('input[name=password]', 'Enter'); await page.waitForURL(u => u.pathname !== '/login');
      pages[who] = page;
    }
    const page = pages[who];
    if (path === 'first') { await page.goto('/admin/messages'); await page.locator('.threads a', { hasText: 'Pieter' }).click(); await page.waitForLoadState(); }
    else await page.goto(path);
    await page.waitForTimeout(700);
    await page.screenshot({ path: `${out}/${name}-${width}-${scheme}.png` });
  }
}
await browser.close();
