import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { servemark } from './cli.js';
import { readJson, scenarioFile, workFolder } from './folders.js';
import { within } from './within.js';

const folder = workFolder('gate');
const scenario = (cost: string) => `schema: 1
question: Is it as fast as it was?
model: { runtime: synthetic, cost: [[1, ${cost}]] }
systems: { serial: { strategy: serial } }
loads: { alone: { type: single-stream, duration: 400ms } }
transports: [in-process]
repeats: 6
warmUp: 20ms
`;
const path = (name: string) => join(folder, name);
const places = ['--baseline', path('history'), '--out', path('runs'), '--quiet'];

describe('servemark gate', () => {
  const fast = scenarioFile(folder, 'nightly', scenario('1ms'));
  mkdirSync(path('slow'));
  const slow = scenarioFile(path('slow'), 'nightly', scenario('3ms'));

  test('records a first run, calls a threefold service time a confirmed regression, and takes it for the new level when told', async () => {
    const first = await servemark(['gate', fast, ...places]);
    expect(first.stdout, first.stderr).toMatch(/Nothing to judge by/);
    expect(first.code).toBe(0);

    const files = ['--junit', path('gate.xml'), '--markdown', path('gate.md')];
    const second = await servemark(['gate', slow, ...places, ...files]);
    expect(second.stdout, second.stderr).toMatch(/REGRESSION in \d figures?, against 1 run, confirmed by a second run/);
    expect(second.stdout).toMatch(/serial · alone · in-process · p50Latency +[23]\.\d+ .*regressed +\+\d+.*confirmed/);
    expect(second.code).toBe(1);
    expect(readFileSync(path('gate.xml'), 'utf8')).toMatch(/<failure message="\+/);
    expect(readFileSync(path('gate.md'), 'utf8')).toMatch(/❌ REGRESSION/);
    expect(readdirSync(path('runs'))).toHaveLength(3);

    const entries = () =>
      readdirSync(path('history/nightly'))
        .filter((name) => name.endsWith('.json'))
        .map((name) => readJson(folder, 'history/nightly', name));
    expect(entries().map(({ verdict }) => verdict)).toEqual(['recorded', 'regressed']);

    // A stored run is judged without running anything.
    const run = /^run (.*)$/m.exec(second.stdout)![1]!;
    const accepted = await within(['gate', run, ...places, '--accept']);
    expect(accepted.stdout, accepted.stderr).toMatch(/a new baseline begins with this run/);
    expect(accepted.code).toBe(0);
    const passes = await within(['gate', run, ...places, '--no-record']);
    expect(passes.stdout).toMatch(/No regression in \d of 4 figures/);

    const page = await within(['history', '--history', path('history')]);
    expect(page.stdout).toMatch(/serial · alone · in-process +p50Latency +3 +2 /);
    expect(readFileSync(path('history/nightly/history.html'), 'utf8')).toMatch(/<svg[\s\S]*changes before run/);
    const json = JSON.parse((await within(['history', 'nightly', '--history', path('history'), '--json'])).stdout);
    expect(json).toMatchObject({ schema: 1, scenario: 'nightly', levels: expect.any(Array) });
  }, 180_000);

  test('says aloud that a run of INVALID trials is not judged, and with --strict ends with 1', async () => {
    mkdirSync(path('short'));
    const short = scenarioFile(
      path('short'),
      'nightly',
      scenario('3ms').replace('400ms', '60ms').replace('repeats: 6', 'repeats: 1'),
    );
    const { code, stdout } = await servemark(['gate', short, ...places, '--no-record', '--strict']);
    expect(stdout).toMatch(/NOT JUDGED: too few VALID trials for any of the 4 figures/);
    expect(code).toBe(1);
  }, 60_000);

  test.each<[what: string, args: string[], message: RegExp]>([
    ['a share that is none', ['gate', fast, '--min-shift', 'much'], /--min-shift: "much" is no share/],
    ['a scenario that is not there', ['gate', path('none.yaml')], /none\.yaml: there is no such file/],
    ['a history that is not there', ['history', '--history', path('nowhere')], /there is no history yet/],
  ])('refuses %s', async (_what, args, message) => {
    const { code, stderr } = await within(args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});
