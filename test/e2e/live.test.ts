import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Message, readEvents } from '../results/live/events.js';
import { finish, start } from './cli.js';
import { scenarioFile, workFolder } from './folders.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
if (!CHROMIUM) console.log('skipped: the live page in a browser (no chromium here: apt-get install chromium)');

const folder = workFolder('live');
const scenario = scenarioFile(
  folder,
  'watched',
  `schema: 1
question: Is <b>a</b> watched?
model: { runtime: synthetic }
systems: { a: { strategy: serial }, b: { strategy: serial } }
loads: { steady: { type: open, rate: 200/s, duration: 1500ms } }
transports: [rest-binary]
warmUp: 200ms
`,
);

/** `servemark run --ui`, its page's address and its end. */
async function watchedRun() {
  const child = start(['run', scenario, '--ui', '--out', join(folder, 'runs')]);
  const finished = finish(child);
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /live page (http:\S+)/.exec(text);
      if (found) resolve(found[1]!);
    });
    void finished.then(({ stderr }) => reject(new Error(stderr)));
  });
  return { url, finished };
}

test('servemark run --ui tells each trial, what it does meanwhile and its outcome, and ends with the report', async () => {
  const { url, finished } = await watchedRun();
  const messages: Message[] = [];
  let report: Promise<string> | undefined;
  await readEvents(`${url}events`, (message) => {
    messages.push(message);
    if (message.events.at(-1)?.kind === 'end') report = fetch(`${url}report`).then((response) => response.text());
  });
  const { code, stderr } = await finished;
  expect(code, stderr).toBe(0);
  const events = messages.flatMap((message) => message.events);
  expect(events.flatMap((event) => (event.kind === 'trial' ? [event.title] : []))).toEqual([
    expect.stringContaining('a · steady'),
    expect.stringContaining('b · steady'),
  ]);
  expect(events.filter((event) => event.kind === 'outcome')).toHaveLength(2);
  const busy = events.flatMap((event) => (event.kind === 'sample' && event.phase === 'measuring' ? [event] : []));
  expect(busy.length).toBeGreaterThan(6);
  expect(busy.some((event) => event.ratePerSecond > 50 && event.p50Ns !== null && event.p50Ns > 0)).toBe(true);
  if (process.platform === 'linux') expect(busy.at(-1)!.device['server (cores)']).toBeGreaterThanOrEqual(0);
  expect(await report).toContain('Is &lt;b&gt;a&lt;/b&gt; watched?');
});

test.skipIf(!CHROMIUM)(
  'in a browser it draws charts, follows dark grounds, and keeps the report when the run is gone',
  async () => {
    const { chromium } = await import('playwright-core');
    const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'];
    const quiet = ['--disable-background-networking', '--disable-component-update'];
    const browser = await chromium.launch({ executablePath: CHROMIUM!, args: [...args, ...quiet] });
    try {
      const context = await browser.newContext({ colorScheme: 'dark', viewport: { width: 1100, height: 900 } });
      const page = await context.newPage();
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      page.on('request', (request) => {
        if (!/^(http:\/\/127\.0\.0\.1|data:|blob:)/.test(request.url())) faults.push(request.url());
      });
      const { url, finished } = await watchedRun();
      await page.goto(url);
      await page.waitForSelector('#latency canvas', { timeout: 20_000 });
      await page.waitForSelector('#outcomes tr:nth-child(2)', { timeout: 30_000 });
      if (process.env.SERVEMARK_PICTURE) await page.screenshot({ path: process.env.SERVEMARK_PICTURE });
      const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      expect(ground).toBe('rgb(20, 24, 29)');
      expect(await page.textContent('h1')).toBe('Is <b>a</b> watched?');
      await page.waitForSelector('#end a', { timeout: 20_000 });
      const { code, stderr } = await finished;
      expect(code, stderr).toBe(0);
      const opened = context.waitForEvent('page');
      await page.evaluate(
        "document.querySelector('#end a').target = '_blank'; document.querySelector('#end a').click()",
      );
      const report = await opened;
      await report.waitForSelector('#overview table');
      expect(await report.textContent('h1')).toBe('Is <b>a</b> watched?');
      await page.setViewportSize({ width: 390, height: 800 });
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect(overflow).toBeLessThanOrEqual(0);
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
    }
  },
  90_000,
);
