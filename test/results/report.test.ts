import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeRecords } from '../../results/arrow.js';
import { renderReport, writeReports } from '../../results/report.js';
import type { StoredRun } from '../../results/run.js';
import { createRun } from '../../results/store.js';
import type { TrialOutcome } from '../../results/summary.js';
import { views } from '../../results/views/registry.js';
import { identityOf } from '../../results/views/support/groups.js';
import { type FakeRun, fakeRun } from '../fakes/runs.js';

const EVIL = '<script>alert("x")</script>';
const SMALL = { repeats: 2, loads: ['half', 'over'], requests: 700 } as const;
const small = fakeRun(SMALL);

describe('a report', () => {
  let fake: FakeRun;
  let html: string;
  let markdown: string;
  let terminal: string;
  beforeAll(async () => {
    fake = fakeRun({ repeats: 2, requests: 700 });
    const text = async (format: string) => (await renderReport(fake.run, format, fake)).text;
    [html, markdown, terminal] = [await text('html'), await text('markdown'), await text('terminal')];
  });

  it('answers the question first and ends with the command that reproduces it', () => {
    for (const text of [html, markdown]) {
      expect(text.indexOf('Answer')).toBeGreaterThan(text.indexOf('Which of these ways'));
      expect(text.lastIndexOf('servemark run scenarios/quickstart.yaml')).toBeGreaterThan(text.indexOf('Environment'));
    }
  });

  it('has every view that the run has data for, and no others', () => {
    const sections = [...html.matchAll(/<section id="([a-z]+)">/g)].map((match) => match[1]);
    // The fake searched nothing, has no tenants and no readings; its plan names no strategy: the reference run's report has the queues.
    const absent = [
      ...[
        'accuracy',
        'decision',
        'devices',
        'gateway',
        'interference',
        'league',
        'queueing',
        'simulation',
        'tenants',
        'tuning',
      ],
      ...['variants', 'pareto', 'parallel', 'served'],
    ];
    expect(sections).toEqual(views.map((view) => view.name).filter((name) => !absent.includes(name)));
  });

  it('fetches nothing: no script, no link to elsewhere, no font, no picture', () => {
    expect(html).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|@font-face/i);
    const addresses = [...html.matchAll(/(?:src|href|xlink:href)="([^"]*)"/g)].map((match) => match[1]!);
    expect(addresses.every((address) => address.startsWith('#'))).toBe(true);
    const urls = new Set([...html.matchAll(/https?:\/\/[^\s"'<)]+/g)].map((match) => match[0]));
    expect([...urls]).toEqual(['http://www.w3.org/2000/svg']);
  });

  it('says in words what each chart shows, and lets the keyboard reach what scrolls', () => {
    const charts = html.match(/<svg[^>]*>/g)!;
    expect(charts.length).toBeGreaterThan(10);
    for (const chart of charts) expect(chart).toMatch(/role="img" aria-label="[^"]{10,}"/);
    expect(html.match(/<figcaption>[^<]+<\/figcaption>/g)).toHaveLength(charts.length);
    expect(html.match(/<div class="scroll" role="region" tabindex="0" aria-label=/g)).toHaveLength(
      html.match(/<table>/g)!.length,
    );
  });

  it('gives every colour of its charts a twin for dark grounds', () => {
    const used = new Set([...html.matchAll(/(?:fill|stroke)="(#[0-9a-f]{3,6})"/g)].map((match) => match[1]!));
    for (const colour of used) expect(html).toContain(`.chart [fill="${colour}"]{fill:#`);
  });

  it('refers to each figure that it brings along, and brings each that it refers to', async () => {
    const { text, files } = await renderReport(fake.run, 'markdown', fake);
    const referred = [...text.matchAll(/\]\((figures\/[^)]+)\)/g)].map((match) => match[1]!);
    expect(referred.length).toBeGreaterThan(10);
    expect(files.map((file) => file.path)).toEqual(referred);
    expect(new Set(referred).size).toBe(referred.length);
    for (const file of files) expect(file.content).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  });

  it('fits a terminal of 100 columns, and one of 60', async () => {
    const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));
    expect(widest(terminal)).toBeLessThanOrEqual(100);
    expect(widest((await renderReport(fake.run, 'terminal', { ...fake, width: 60 })).text)).toBeLessThanOrEqual(60);
  });

  it('marks figures of INVALID trials in every table that shows them', () => {
    const row = (text: string) => text.split('\n').filter((line) => line.startsWith('| serial · grpc'));
    // Serial at 150 % of its capacity does not hold the bound: p99, throughput, goodput, and the percentiles' row name.
    expect(row(markdown).filter((line) => line.includes('⚠ INVALID')).length).toBeGreaterThanOrEqual(4);
    expect(terminal).toContain('⚠');
    expect(markdown).toContain('performance-constraint');
  });

  it('is the same, byte for byte, for the same run', async () => {
    const again = fakeRun({ repeats: 2, requests: 700 });
    for (const format of ['html', 'markdown']) {
      const [one, two] = [await renderReport(fake.run, format, fake), await renderReport(again.run, format, again)];
      expect(two).toEqual(one);
    }
  });

  it('colours a terminal only when asked', async () => {
    expect(terminal).not.toContain('\u001b');
    expect((await renderReport(fake.run, 'terminal', { ...fake, colour: true })).text).toContain('\u001b[1m');
  });

  it('lists the formats where there is none of the name', async () => {
    await expect(renderReport(fake.run, 'pdf', fake)).rejects.toThrow(
      'there is no format "pdf". Allowed: html, markdown, terminal, latex, csv, json, vega.',
    );
  });
});

describe('a report of a run that did not go well', () => {
  const trial = (id: string) => small.run.plan.trials.find(({ identity }) => identity.id === id)!.identity;

  it('tells failed and skipped trials with their reasons, and merges what is left', async () => {
    const failed: Extract<TrialOutcome, { state: 'failed' }> = {
      state: 'failed',
      trial: trial('serial.half.grpc.r1'),
      error: `worker died ${EVIL}`,
      lastLines: ['\u001b[31mSegmentation fault\u001b[0m', 'second `line` | with bars'],
    };
    const skipped: Extract<TrialOutcome, { state: 'skipped' }> = {
      state: 'skipped',
      trial: trial('two.half.grpc.r1'),
      reason: 'no GPU here',
    };
    const outcomes = small.run.outcomes.map(
      (outcome) => [failed, skipped].find((other) => other.trial.id === identityOf(outcome).id) ?? outcome,
    );
    const fake = { ...small, run: { ...small.run, outcomes } };
    for (const format of ['html', 'markdown', 'terminal']) {
      const { text } = await renderReport(fake.run, format, fake);
      expect(text).toContain('worker died');
      expect(text).toContain('no GPU here');
      expect(text).toContain('Segmentation fault');
      expect(text).toMatch(format === 'terminal' ? /⚠/ : /⚠ 1 of 2 failed/);
      expect(text).not.toContain('\u001b');
      if (format !== 'terminal') expect(text).not.toContain('<script');
    }
  });

  it('says what can no longer be read, before any number', async () => {
    const { run, records } = small;
    const hurt: StoredRun = { ...run, outcomes: run.outcomes.slice(1), damaged: ['trials/x/summary.json'] };
    const { text } = await renderReport(hurt, 'markdown', { records });
    const notice = text.indexOf('Of 1 of 24 trials there is no result that can be read.');
    expect(notice).toBeGreaterThan(0);
    expect(notice).toBeLessThan(text.indexOf('## '));
    expect(text).toContain('Damaged, and left out: trials/x/summary.json.');
  });

  it('says that it was interrupted, and how to go on', async () => {
    const { run, records } = small;
    const cut: StoredRun = { ...run, outcomes: run.outcomes.slice(0, 5), state: 'interrupted' };
    const { text } = await renderReport(cut, 'markdown', { records });
    expect(text).toContain('The run was interrupted: 5 of 24 trials are in this report.');
    expect(text).toContain('servemark run --resume');
    expect(text).toContain('19 planned trials did not run.');
  });

  it('can be made before anything was measured', async () => {
    const { run, records } = small;
    for (const format of ['html', 'markdown', 'terminal']) {
      const { text } = await renderReport({ ...run, outcomes: [], state: 'interrupted' }, format, { records });
      expect(text).toContain('0 of 24 trials');
    }
  });

  it('leaves the distributions out where the records are lost', async () => {
    const { text } = await renderReport(small.run, 'html', { records: () => undefined });
    expect(text).not.toContain('id="ecdf"');
    expect(text).toContain('id="percentiles"');
  });
});

describe('a report of hostile names', () => {
  it('shows them as text', async () => {
    const { records } = small;
    const plan = { ...small.run.plan, question: `Is ${EVIL} | *fast* [link](http://example.com)?` };
    const run = { ...small.run, plan };
    const hostile = JSON.parse(
      JSON.stringify(run).replaceAll(
        '"serial"',
        JSON.stringify(`</svg><img src=x onerror=alert(1)> ${'`'}a${'`'} | b`),
      ),
    ) as StoredRun;
    const html = (await renderReport(hostile, 'html', { records })).text;
    expect(html).not.toMatch(/<img|<script/);
    expect(html).toContain('&lt;script&gt;');
    expect(html.match(/<svg/g)).toHaveLength(html.match(/<\/svg>/g)!.length);
    const { text, files } = await renderReport(hostile, 'markdown', { records });
    expect(text).not.toMatch(/<img|<script|[^\\]\[link\]/);
    for (const { path, content } of files) {
      expect(path).toMatch(/^figures\/[A-Za-z0-9._-]+$/);
      expect(content).not.toContain('<img');
    }
  });
});

describe('simulated results', () => {
  it('stand beside the measured ones with their error, never merged with them', async () => {
    const fake = fakeRun({ ...SMALL, transports: ['grpc'], simulated: true });
    const { text } = await renderReport(fake.run, 'markdown', fake);
    expect(text).toContain('Contains simulated results');
    expect(text.match(/## Systems and loads[\s\S]*?## /)![0]).not.toContain('simulated');
    expect(text).toMatch(/## Measured and simulated/);
    expect(text).toMatch(
      /\| serial \| half \| grpc \| \[[\d.]+ (?:µs|ms)\]\[t\d+\] \| \[[\d.]+ (?:µs|ms)\]\[t\d+\] \| \[[−+]\d+ %\]\[t\d+\] \|/,
    );
  });

  it('say so before any number where nothing else is there', async () => {
    const { run, records } = small;
    const virtual = JSON.parse(
      JSON.stringify({ ...run, plan: { ...run.plan, simulated: true } }).replaceAll(
        '"simulated":false',
        '"simulated":true',
      ),
    ) as StoredRun;
    const { text } = await renderReport(virtual, 'terminal', { records });
    expect(text).toContain('serial · grpc (simulated)');
    expect(text.indexOf('Nothing here was measured')).toBeLessThan(text.indexOf('Answer'));
  });
});

describe('writing reports', () => {
  it('puts report.html, report.md and its figures beside the trials, from what lies in the folder', async () => {
    const root = mkdtempSync(join(tmpdir(), 'servemark report '));
    const { run, records } = fakeRun({ repeats: 1, loads: ['half'], requests: 700 });
    const store = createRun(root, run.plan, run.environment);
    for (const outcome of run.outcomes) {
      if (outcome.state !== 'completed') continue;
      const { id } = outcome.summary.trial;
      writeRecords(store.recordsPath(id), records(id)!, {});
      store.writeOutcome(outcome);
    }
    store.finish('completed');
    const written = await writeReports(store.folder);
    expect(written).toEqual([join(store.folder, 'report.html'), join(store.folder, 'report.md')]);
    const expected = await renderReport(run, 'html', { records });
    expect(readFileSync(written[0]!, 'utf8')).toBe(expected.text);
    expect(readdirSync(join(store.folder, 'figures'))).toContain('ecdf.half.grpc.svg');
    rmSync(root, { recursive: true });
  });
});
