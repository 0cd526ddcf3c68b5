import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { servemark } from './cli.js';
import { onlyRun, readJson, scenarioFile, workFolder } from './folders.js';
import { within } from './within.js';

const folder = workFolder('replay');
const out = join(folder, 'runs');
const file = scenarioFile(
  folder,
  'once',
  `schema: 1
question: Again?
model: { runtime: synthetic, cost: [[1, 500us]] }
systems: { serial: { strategy: serial } }
loads: { half: { type: open, arrivals: poisson, rate: 50% of serial, duration: 200ms } }
transports: [in-process]
warmUp: 20ms
probe: 100ms
`,
);

describe('servemark replay', () => {
  test('offers the same bytes at the same due times, also where the rate is of a capacity measured then', async () => {
    const first = await servemark(['run', file, '--out', out, '--quiet']);
    expect(first.code, first.stderr).toBe(0);
    const run = onlyRun(out)!;
    const again = join(folder, 'again');
    const { code, stdout, stderr } = await servemark(['replay', run, '--out', again, '--json']);
    expect(code, stderr).toBe(0);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({ schema: 1, of: run, trials: [{ id: 'serial.half.in-process.r1', load: 'same' }] });
    const hash = (root: string) => readJson(root, 'trials/serial.half.in-process.r1/summary.json').schedule;
    expect(hash(found.run)).toEqual(hash(run));
    // The probe is not run again: what it found is.
    expect(found.trials).toHaveLength(1);
    expect(found.differences.filter(({ kind }: { kind: string }) => kind !== 'mood')).toEqual([]);

    // Another environment then, another schedule then: both are told.
    const environment = readJson(run, 'environment.json') as { node: object };
    writeFileSync(
      join(run, 'environment.json'),
      JSON.stringify({ ...environment, node: { ...environment.node, version: 'v1.0.0' } }),
    );
    const summary = join(run, 'trials/serial.half.in-process.r1/summary.json');
    const altered = readFileSync(summary, 'utf8').replace(/"sha256": "[0-9a-f]{12}/, '"sha256": "000000000000');
    writeFileSync(summary, altered);
    const other = await servemark(['replay', run, '--out', again, '--quiet']);
    expect(other.stdout).toMatch(/serial\.half\.in-process\.r1 +other/);
    expect(other.stdout).toMatch(/machine +node +v1\.0\.0 +v\d/);
    expect(other.code).toBe(1);
    expect((await within(['replay', run, '--trials', 'over'])).stderr).toMatch(
      /no completed trial’s name holds "over"/,
    );
  }, 120_000);

  test('refuses what can’t be the same: a model with other bytes, unless it is forced', async () => {
    const stored = join(folder, 'stored');
    cpSync('results/reference/quickstart', stored, { recursive: true });
    const plan = readJson(stored, 'plan.json') as { model: object };
    writeFileSync(
      join(stored, 'plan.json'),
      JSON.stringify({ ...plan, model: { ...plan.model, sha256: 'f'.repeat(64) } }),
    );
    const { code, stderr } = await within(['replay', stored]);
    expect(stderr).toMatch(/model fashion-mlp: has other bytes than then \(sha256 ffffffffffff… then, /);
    expect(stderr).toMatch(/--force/);
    expect(code).toBe(2);
  });
});
