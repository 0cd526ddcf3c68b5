import type { Interval } from '../summary.js';
import { meanInterval } from './bootstrap.js';

/** How one system's figure relates to another's over paired (interleaved) repeats. */
export interface PairedRatio {
  /** Geometric mean of aᵢ / bᵢ; null where no pair has two positive figures. */
  readonly ratio: number | null;
  /** Null below 2 pairs. */
  readonly interval: Interval | null;
  /** Pairs that counted. */
  readonly pairs: number;
}

/** Runs in the same repeat saw the same machine: their ratio cancels its mood. aᵢ pairs with bᵢ. Deterministic in `seed`. */
export function pairedRatio(a: readonly number[], b: readonly number[], seed: bigint): PairedRatio {
  const logs: number[] = [];
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const log = Math.log(a[i]! / b[i]!);
    if (Number.isFinite(log)) logs.push(log);
  }
  if (logs.length === 0) return { ratio: null, interval: null, pairs: 0 };
  const interval = meanInterval(logs, seed);
  return {
    ratio: Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length),
    interval: interval ? { low: Math.exp(interval.low), high: Math.exp(interval.high), level: interval.level } : null,
    pairs: logs.length,
  };
}

/**
 * The noise floor as a factor ≥ 1: the largest ratio (either way up) that one system showed against itself (A/A pairs).
 * Null without a pair. A shift below it is no finding, however narrow its interval.
 */
export function noiseFloor(a: readonly number[], again: readonly number[]): number | null {
  let largest: number | null = null;
  for (let i = 0; i < Math.min(a.length, again.length); i++) {
    const size = Math.exp(Math.abs(Math.log(a[i]! / again[i]!)));
    if (Number.isFinite(size)) largest = Math.max(largest ?? 1, size);
  }
  return largest;
}
