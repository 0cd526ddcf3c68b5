import { scheduleSha256 } from '../../clients/schedule.js';
import { canonicalDouble, FastRandom } from '../../results/stats/random.js';
import { summarise } from '../../results/summarise.js';
import type { TrialOutcome } from '../../results/summary.js';
import type { SystemSpec } from '../../scenarios/contract.js';
import { loadFacts, planFrom } from '../../scenarios/load-facts.js';
import { simulateTrial } from '../../scenarios/simulated.js';

const SYSTEM: SystemSpec = {
  name: 'serial',
  summary: 'serial',
  strategy: { name: 'serial', options: {} },
  instances: 1,
  isolation: 'thread',
  model: { runtime: 'synthetic', options: {} },
};
const LOAD = { type: 'open', options: { arrivals: 'poisson', rate: 600, duration: 1.2e9 } };
const REPEATS = 5;

/**
 * Interleaved trials of one system under two names in virtual time. The machine has moods: every trial's service time is off by
 * about 3 %, one in twenty by a quarter, and both trials of a pair share a drift of 5 %. Pairs share their schedule.
 */
export function simulatedRepetition(seed: bigint): TrialOutcome[] {
  const random = new FastRandom(seed);
  const spread = (share: number) => 1 + share * (2 * canonicalDouble(random) - 1);
  return Array.from({ length: REPEATS }, (_, i) => i + 1).flatMap((repeat) => {
    const drift = spread(0.05);
    const seeds = { schedule: String(1000n * seed + BigInt(repeat)), samples: '2' };
    return ['one', 'two'].map((name) => {
      const disturbed = canonicalDouble(random) < 0.05 ? 1.25 : 1;
      return trial(name, repeat, 1e6 * drift * disturbed * spread(0.05), seeds);
    });
  });
}

function trial(
  name: string,
  repeat: number,
  costNs: number,
  seeds: { schedule: string; samples: string },
): TrialOutcome {
  const plan = planFrom(LOAD, seeds, 'quick');
  const simulated = simulateTrial(SYSTEM, plan, [[1, Math.round(costNs)]]);
  const identity = {
    id: `${name}.${repeat}`,
    system: name,
    load: 'steady',
    loadType: 'open',
    transport: 'rest-binary',
    repeat,
    order: 0,
    simulated: true,
  };
  const summary = summarise({
    identity,
    records: simulated.records,
    drive: {
      startedAt: new Date(0).toISOString(),
      durationNs: simulated.durationNs,
      offered: simulated.records.length,
      scheduleSha256: scheduleSha256(plan),
      arrivals: 'poisson',
      clockDrift: 0,
      stoppedEarly: null,
      cpu: { userSeconds: 0, systemSeconds: 0 },
    },
    load: loadFacts(LOAD.type, LOAD.options, plan, 'quick', {}),
    processes: [],
    targets: {},
    seed: 1n,
    scheduleSeed: seeds.schedule,
  });
  return { state: 'completed', summary: { ...summary, processes: [] } };
}
