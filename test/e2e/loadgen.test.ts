import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { planLoad } from '../../clients/loads/registry.js';
import { which } from '../../results/which.js';

const run = promisify(execFile);
const python = which('loadgen-python');
if (!python)
  console.log('skipped: parity with MLPerf LoadGen (loadgen-python is not on PATH; .ci/tools.sh gets it from PyPI)');

/** Of mlperf.conf 6.x, and those of its audit TEST05. */
const SEEDS = {
  official: ['2085463073848966840', '2747215439041700203', '16159082839903944936'],
  audit: ['7975553102935885558', '11403566307062068064', '15816800565822761601'],
} as const;

const folder = mkdtempSync(join(tmpdir(), 'servemark-loadgen-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Draws {
  readonly samples: readonly number[];
  readonly dueNs: readonly number[];
}

async function theirs(
  scenario: string,
  queries: number,
  [total, performance]: readonly [number, number],
  seeds: keyof typeof SEEDS,
): Promise<Draws> {
  const script = fileURLToPath(new URL('loadgen_draws.py', import.meta.url));
  const words = [scenario, queries, 10_000, total, performance, folder, ...SEEDS[seeds]].map(String);
  const { stdout } = await run(python!, [script, ...words], { maxBuffer: 64 * 1024 ** 2 });
  return JSON.parse(stdout.slice(stdout.lastIndexOf('{"samples"'))) as Draws;
}

function ours(
  type: string,
  options: object,
  [totalSampleCount, performanceSampleCount]: readonly [number, number],
  seeds: keyof typeof SEEDS,
) {
  const [librarySeed, sampleSeed, scheduleSeed] = SEEDS[seeds].map(BigInt) as [bigint, bigint, bigint];
  const preset = 'mlperf' as const;
  return planLoad(type, options, {
    ...{ librarySeed, sampleSeed, scheduleSeed, preset, totalSampleCount, performanceSampleCount },
  });
}

describe.skipIf(!python)('MLPerf LoadGen from PyPI, driven against a null system with the same seeds', () => {
  for (const seeds of ['official', 'audit'] as const)
    test(`draws our schedule and our samples: 10,000 server queries, ${seeds} seeds, to the nanosecond`, async () => {
      const library = [5000, 1024] as const;
      const plan = ours('server', { rate: '10000/s', duration: '1ms', minQueries: 10_000 }, library, seeds);
      const found = await theirs('Server', 10_000, library, seeds);
      if (plan.mode !== 'open') throw new Error('a server load is open');
      expect(found.dueNs).toHaveLength(10_000);
      expect([...plan.dueNs.subarray(0, 10_000)]).toEqual(found.dueNs);
      expect([...plan.sampleIndex.subarray(0, 10_000)]).toEqual(found.samples);
    }, 60_000);

  test('draws our samples one at a time, eight at a time, and all at once', async () => {
    const library = [700, 700] as const;
    const single = await theirs('SingleStream', 1500, library, 'official');
    const singlePlan = ours('single-stream', { minQueries: 1500 }, library, 'official');
    expect([...singlePlan.sampleIndex.subarray(0, 1500)]).toEqual(single.samples);
    const multi = await theirs('MultiStream', 900, library, 'official');
    const multiPlan = ours('multi-stream', { minQueries: 900 }, library, 'official');
    expect([...multiPlan.sampleIndex.subarray(0, 7200)]).toEqual(multi.samples.slice(0, 7200));
    const offline = await theirs('Offline', 1, library, 'official');
    const offlinePlan = ours('offline', { minSamples: offline.samples.length, duration: '1ns' }, library, 'official');
    expect(offline.samples.length).toBeGreaterThan(0);
    expect([...offlinePlan.sampleIndex]).toEqual(offline.samples);
  }, 60_000);
});
