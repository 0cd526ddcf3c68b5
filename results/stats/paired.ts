import type { Interval } from '../summary.js';
import { studentTails } from './beta.js';
import { MIN_VALUES, meanInterval, percentileReplicator } from './bootstrap.js';
import { expandedInterval, RESAMPLES } from './interval.js';
import { ascending, percentile } from './percentile.js';
import { FastRandom, uniformInt } from './random.js';

/** How one system's figure relates to another's over paired (interleaved) repeats. */
export interface PairedRatio {
  /** Geometric mean of aᵢ / bᵢ; null where no pair has two positive figures. */
  readonly ratio: number | null;
  /** Null below 2 pairs. */
  readonly interval: Interval | null;
  /** Two-sided, of Student's test that the logarithms' mean is 0; null below 2 pairs. */
  readonly pValue: number | null;
  /** Pairs that counted. */
  readonly pairs: number;
}

/** Runs in the same repeat saw the same machine: their ratio cancels its mood. aᵢ pairs with bᵢ. Deterministic in `seed`. */
export function pairedRatio(a: readonly number[], b: readonly number[], seed: bigint): PairedRatio {
  const logs = logRatios(a, b);
  if (logs.length === 0) return { ratio: null, interval: null, pValue: null, pairs: 0 };
  const interval = meanInterval(logs, seed);
  return {
    ratio: Math.exp(meanOf(logs)),
    interval: interval ? { low: Math.exp(interval.low), high: Math.exp(interval.high), level: interval.level } : null,
    pValue: logs.length < 2 ? null : zeroMeanTails(logs),
    pairs: logs.length,
  };
}

/**
 * The noise floor as a factor ≥ 1: the largest ratio (either way up) that one system showed against itself (A/A pairs).
 * Null without a pair. A shift below it is no finding, however narrow its interval.
 */
export function noiseFloor(a: readonly number[], again: readonly number[]): number | null {
  const logs = logRatios(a, again);
  return logs.length === 0 ? null : Math.exp(Math.max(...logs.map(Math.abs)));
}

/**
 * A noise floor without A/A pairs, as a factor ≥ 1: what the paired ratio shows against itself over its own repeats,
 * neighbours set against each other (1 with 2, 3 with 4 …). Null below 2 such. It cancels a drift that hits both systems, as
 * the ratio does; it can't see what sits between two names of one system: for that there are A/A pairs.
 */
export function repeatNoise(a: readonly number[], b: readonly number[]): number | null {
  const logs = logRatios(a, b);
  const steps = Array.from({ length: logs.length >> 1 }, (_, i) => logs[2 * i]! - logs[2 * i + 1]!);
  return steps.length < 2 ? null : Math.exp(Math.abs(meanOf(steps)));
}

/**
 * The interval of a ratio of percentiles within paired trials, by blocks: aᵢ and bᵢ are latencies of the same schedule in its
 * order (NaN where a request has none), so the same blocks of it are drawn from both. It knows what chance did within
 * these trials, not how another repeat would differ. Null where a pair has fewer than 20 requests answered by both.
 */
export function blockRatioInterval(
  pairs: readonly (readonly [a: ArrayLike<number>, b: ArrayLike<number>])[],
  p: number,
  seed: bigint,
): { readonly ratio: number; readonly interval: Interval } | null {
  const common = pairs.map(([a, b]) => answeredByBoth(a, b));
  if (common.length === 0 || common.some(([a]) => a.length < MIN_VALUES)) return null;
  const sides = common.map((pair) => pair.map((values) => ({ values, sorted: ascending(values) })));
  const replicators = sides.map((pair) => pair.map(({ values, sorted }) => percentileReplicator(values, sorted, p)));
  const random = new FastRandom(seed);
  const replicates = new Float64Array(RESAMPLES);
  for (let r = 0; r < RESAMPLES; r++) {
    let sum = 0;
    for (const [a, b] of replicators) {
      const drawn = Uint32Array.from({ length: a!.blocks }, () => uniformInt(random, a!.blocks));
      sum += Math.log(a!.of(drawn) / b!.of(drawn));
    }
    replicates[r] = sum / replicators.length;
  }
  const blocks = replicators.reduce((sum, [a]) => sum + a!.blocks, 0);
  const { low, high, level } = expandedInterval(replicates.sort(), blocks);
  const logs = sides.map(([a, b]) => Math.log(percentile(a!.sorted, p) / percentile(b!.sorted, p)));
  return { ratio: Math.exp(meanOf(logs)), interval: { low: Math.exp(low), high: Math.exp(high), level } };
}

function logRatios(a: readonly number[], b: readonly number[]): number[] {
  const logs: number[] = [];
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const log = Math.log(a[i]! / b[i]!);
    if (Number.isFinite(log)) logs.push(log);
  }
  return logs;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function zeroMeanTails(values: readonly number[]): number {
  const n = values.length;
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  if (mean === 0) return 1;
  return studentTails(mean / Math.sqrt(squares / (n * (n - 1))), n - 1);
}

function answeredByBoth(a: ArrayLike<number>, b: ArrayLike<number>): [Float64Array, Float64Array] {
  const kept: number[] = [];
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i]! > 0 && b[i]! > 0) kept.push(i);
  return [Float64Array.from(kept, (i) => a[i]!), Float64Array.from(kept, (i) => b[i]!)];
}
