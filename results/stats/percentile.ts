import type { Distribution, Interval, Quantile } from '../summary.js';
import { percentileFloor } from './early-stopping.js';
import { sortAscending } from './sort.js';

/** The percentiles that a distribution carries, by their names. */
export const PERCENTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p97: 0.97, p99: 0.99, p999: 0.999 } as const;
export type PercentileName = keyof typeof PERCENTILES;

/** sorted[⌊n·p⌋], as LoadGen prints it; NaN where there is no value. `sorted` ascends. */
export function percentile(sorted: ArrayLike<number>, p: number): number {
  const n = sorted.length;
  if (n === 0) return Number.NaN;
  // 0.07 · 100 is 7.000000000000001: whole ranks must not suffer from the last bit of the product.
  const rank = Math.floor(n * p + 1e-9);
  return sorted[Math.min(rank, n - 1)]!;
}

/** A percentile as a number, or as the reason why n is too small to print one. */
export function quantile(sorted: ArrayLike<number>, p: number, interval?: Interval): Quantile {
  const needs = percentileFloor(p);
  if (sorted.length < needs) return { value: null, reason: `n too small (needs ${needs.toLocaleString('en-US')})` };
  const value = percentile(sorted, p);
  return interval ? { value, interval } : { value };
}

/** Copies, drops NaN, sorts: the only sort a distribution needs. */
export function ascending(values: ArrayLike<number>): Float64Array {
  const sorted = new Float64Array(values.length);
  let n = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i]!)) sorted[n++] = values[i]!;
  return sortAscending(sorted.subarray(0, n));
}

/** Count, extremes, mean and percentiles of ascending values; `intervals` adds a percentile's own. */
export function distribution(
  sorted: Float64Array,
  intervals: Partial<Record<PercentileName, Interval>> = {},
): Distribution {
  const n = sorted.length;
  const named = (name: PercentileName) => quantile(sorted, PERCENTILES[name], intervals[name]);
  return {
    count: n,
    min: n === 0 ? null : sorted[0]!,
    max: n === 0 ? null : sorted[n - 1]!,
    mean: n === 0 ? null : mean(sorted),
    p50: named('p50'),
    p90: named('p90'),
    p95: named('p95'),
    p97: named('p97'),
    p99: named('p99'),
    p999: named('p999'),
  };
}

/** The middle value, or the mean of the two in the middle; NaN where there is none. For figures over runs or trials; a distribution's own middle is its p50. */
export function median(values: ArrayLike<number>): number {
  const sorted = ascending(values);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How many of the ascending values are greater than `bound`. */
export function countAbove(sorted: Float64Array, bound: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! > bound) high = middle;
    else low = middle + 1;
  }
  return sorted.length - low;
}

/** Plain sum over ns values: exact enough (1e-16 · n relative) and a tenth of a compensated sum's cost. */
export function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
