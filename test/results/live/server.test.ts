import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { History } from '../../../results/live/history.js';
import { type LiveServer, startLiveServer } from '../../../results/live/index.js';
import { type Message, readEvents, sample } from './events.js';

const END = { kind: 'end', state: 'completed', folder: 'results/runs/x', report: true } as const;

describe('the live page’s server', () => {
  let server: LiveServer;
  afterEach(() => server.end({ ...END, report: false }, undefined));

  it('serves one page that fetches nothing from elsewhere, with a title that is text', async () => {
    server = await startLiveServer('Is <script>a</script> faster?');
    const page = await (await fetch(server.url)).text();
    expect(page).toContain('Is &lt;script&gt;a&lt;/script&gt; faster?');
    const addresses = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1]!);
    expect(addresses.sort()).toEqual(['/uplot.css', '/uplot.js', 'data:,']);
    expect(page).not.toMatch(/https?:\/\//);
    expect(await (await fetch(`${server.url}uplot.js`)).text()).toContain('uPlot');
  });

  it('tells those who come late what was told before, then goes on in batches of at most ten a second', async () => {
    server = await startLiveServer('x');
    server.tell({ kind: 'trial', t: 0, title: 'a', index: 0, total: 1 });
    server.tell(sample(0.1));
    const messages: Message[] = [];
    const reading = readEvents(`${server.url}events`, (message) => messages.push(message));
    await until(() => messages.length === 1);
    expect(messages[0]).toMatchObject({ kind: 'history', events: [{ kind: 'trial' }, { kind: 'sample', t: 0.1 }] });
    const startedAt = performance.now();
    for (let i = 0; i < 60; i++) {
      server.tell(sample(i));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const elapsed = performance.now() - startedAt;
    await until(() => messages.slice(1).flatMap(({ events }) => events).length === 60);
    expect(messages.length - 1).toBeLessThanOrEqual(Math.ceil(elapsed / 100) + 1);
    expect(messages.slice(1).flatMap(({ events }) => events.map((event) => 't' in event && event.t))).toEqual(
      Array.from({ length: 60 }, (_, i) => i),
    );
    const ending = server.end({ ...END, report: false }, undefined);
    await Promise.all([ending, reading]);
    expect(messages.at(-1)!.events.at(-1)).toMatchObject({ kind: 'end' });
  });

  it('hands the report to a page that is open, and does not wait where none is', async () => {
    server = await startLiveServer('x');
    let got = '';
    const reading = readEvents(`${server.url}events`, ({ events }) => {
      if (events.at(-1)?.kind === 'end')
        void fetch(`${server.url}report`).then(async (response) => {
          got = await response.text();
        });
    });
    await until(async () => (await fetch(`${server.url}report`)).status === 404);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.end(END, '<p>the report</p>');
    await reading;
    await until(() => got !== '');
    expect(got).toBe('<p>the report</p>');

    const alone = await startLiveServer('y');
    const startedAt = performance.now();
    await alone.end(END, '<p>the report</p>');
    expect(performance.now() - startedAt).toBeLessThan(1000);
    await expect(fetch(alone.url)).rejects.toThrow();
  });

  it('answers only under this machine’s own names', async () => {
    server = await startLiveServer('x');
    const { port } = new URL(server.url);
    const status = await new Promise((resolve) => {
      request({ host: '127.0.0.1', port, headers: { host: `evil.example:${port}` } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).end();
    });
    expect(status).toBe(403);
    expect((await fetch(`${server.url}nowhere`)).status).toBe(404);
    expect((await fetch(server.url, { method: 'POST' })).status).toBe(404);
  });

  it('says which port is taken, and what to do', async () => {
    server = await startLiveServer('x');
    const port = Number(new URL(server.url).port);
    await expect(startLiveServer('y', port)).rejects.toThrow(`--ui-port: port ${port} is taken. Name another port`);
  });
});

describe('the history', () => {
  it('stays bounded, keeps every trial, and thins the older half first', () => {
    const history = new History();
    for (let i = 0; i < 20_000; i++) {
      if (i % 2000 === 0) history.add({ kind: 'trial', t: i, title: String(i), index: 0, total: 1 });
      history.add(sample(i));
    }
    const samples = history.events.filter((event) => event.kind === 'sample');
    expect(samples.length).toBeLessThanOrEqual(5001);
    expect(samples.at(-1)).toMatchObject({ t: 19_999 });
    expect(samples.at(-2)).toMatchObject({ t: 19_998 });
    expect(history.events.filter((event) => event.kind === 'trial')).toHaveLength(10);
  });
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it never came to be');
}
