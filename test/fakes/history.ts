import type { HistoryEntry } from '../../results/regression/index.js';
import { canonicalDouble, FastRandom, type RandomSource } from '../../results/stats/random.js';

export interface FakeNight {
  readonly night: number;
  /** Multiplies every latency: 1.1 is 10 % slower. */
  readonly factor?: number;
  readonly trials?: number;
  readonly verdict?: HistoryEntry['verdict'];
  readonly machine?: string;
}

/**
 * A night's run of one cell in virtual time: p50 of 2 ms; a night differs from another by about 1 %, a trial from its neighbours
 * by about 2 %, and one trial in twenty is disturbed and 30 % slower, as on a shared machine.
 */
export function fakeNight(
  { night, factor = 1, trials = 5, verdict = 'passed', machine = 'a' }: FakeNight,
  seed: bigint,
): HistoryEntry {
  const random = new FastRandom(seed * 1000n + BigInt(night));
  const mood = Math.exp(0.01 * normal(random));
  const drawn = Array.from({ length: trials }, (_, i) => {
    const disturbed = canonicalDouble(random) < 0.05 ? 1.3 : 1;
    const scale = factor * mood * disturbed * Math.exp(0.02 * normal(random));
    const p99 = 4e6 * scale * Math.exp(0.1 * normal(random));
    return {
      repeat: i + 1,
      figures: {
        throughput: 500 / scale,
        p50Latency: 2e6 * scale,
        p99Latency: p99,
        cpuPerRequest: 1e-4 * Math.exp(0.05 * normal(random)),
      },
      quantilesNs: [1.8, 1.9, 2, 2.1, 2.4, 2.8].map((ms) => ms * 1e6 * scale).concat(p99),
    };
  });
  return {
    schema: 1,
    scenario: 'nightly',
    at: new Date(Date.UTC(2026, 0, 1 + night)).toISOString(),
    runFolder: `/runs/${night}`,
    commit: null,
    version: '0',
    modelSha256: null,
    machine: { cpu: machine, cores: '2' },
    verdict,
    capacities: [],
    cells: [{ system: 'serial', load: 'alone', transport: 'grpc', trials: drawn, invalid: 0, failed: 0 }],
  };
}

/** Nights 0 … n − 1. */
export function fakeHistory(nights: number, seed: bigint, factor: (night: number) => number = () => 1): HistoryEntry[] {
  return Array.from({ length: nights }, (_, night) => fakeNight({ night, factor: factor(night) }, seed));
}

/** Box and Muller. */
function normal(random: RandomSource): number {
  return Math.sqrt(-2 * Math.log(1 - canonicalDouble(random))) * Math.cos(2 * Math.PI * canonicalDouble(random));
}
