import { expect, test } from 'vitest';
import { planLoad } from '../../clients/loads/index.js';
import { tenantSummaries } from '../../results/tenants.js';
import type { SystemSpec } from '../../scenarios/contract.js';
import { simulateTrial } from '../../scenarios/simulated.js';

const MS = 1e6;
const SHARING = [{ name: 'quick', cost: [[1, 2 * MS]], stages: 1 }] as const;

/** p99 of the real-time client and requests per second of the best-effort one: 24 ms in eight stages, beside 2 ms at 30/s. */
function under(mode: string, more: Readonly<Record<string, unknown>> = {}) {
  const system: SystemSpec = {
    name: mode,
    summary: mode,
    strategy: { name: 'reef-stage', options: { stages: 8, mode, ...more } },
    instances: 1,
    isolation: 'thread',
    model: { runtime: 'synthetic' },
  };
  const plan = planLoad(
    'clients',
    {
      duration: '60s',
      clients: [
        { tenant: 'rt', class: 'rt', model: 'quick', rate: '30/s' },
        { tenant: 'be', class: 'be', concurrency: 2 },
      ],
    },
    { scheduleSeed: 1n, sampleSeed: 2n, totalSampleCount: 10, performanceSampleCount: 10, preset: 'quick' },
  );
  const { records, durationNs } = simulateTrial(system, plan, [[1, 24 * MS]], undefined, SHARING);
  const measured = Uint32Array.from({ length: records.length }, (_, row) => row);
  const [rt, be] = tenantSummaries({ records, measured }, durationNs);
  return { p99: rt!.latencyNs.p99.value!, bestEffort: be!.okPerSecond!, lost: rt!.errors + be!.errors };
}

test('in virtual time p99 of the real-time client with eight stages is at most 0.35 of mode none, at no cost to best effort', () => {
  const [none, wait, stage] = [under('none'), under('wait', { depth: 2 }), under('stage')];
  expect(none.p99).toBeGreaterThan(24 * MS);
  expect(stage.p99 / none.p99).toBeLessThanOrEqual(0.35);
  expect(wait.p99).toBeGreaterThan(stage.p99);
  expect(wait.p99).toBeLessThan(none.p99);
  for (const { bestEffort, lost } of [wait, stage]) {
    expect(bestEffort / none.bestEffort).toBeGreaterThanOrEqual(0.9);
    expect(lost).toBe(0);
  }
});
