import { incompleteBeta } from './beta.js';

/** How sure an early-stopping statement is. Source: MLPerf inference rules, LoadGen `early_stopping.cc`. */
const CONFIDENCE = 0.99;

/**
 * The fewest queries n with which t over-latency ones still show, with confidence 0.99, that the true share of queries
 * over the bound is at most 1 − p. Grows with t. `minQueries(0.99, 0)` is 459, `minQueries(0.99, 1)` 662.
 */
export function minQueries(percentile: number, overLatency: number): number {
  const key = `${percentile} ${overLatency}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const found = leastUnder(percentile, overLatency) + overLatency;
  if (cache.size < 10_000) cache.set(key, found);
  return found;
}

/** The fewest queries for which the percentile is printed as a number at all. */
export function percentileFloor(percentile: number): number {
  return minQueries(percentile, 1);
}

/** A conservative estimate of a latency percentile (single- and multi-stream), or how many queries it needs. */
export type Estimate =
  | { readonly value: number; readonly overLatency: number }
  | { readonly value: null; readonly needs: number };

/** t = the most over-latency queries that n allows; the estimate is sorted[n − t]. `sorted` ascends. */
export function earlyStoppingEstimate(sorted: ArrayLike<number>, percentile: number): Estimate {
  const n = sorted.length;
  if (n < percentileFloor(percentile)) return { value: null, needs: percentileFloor(percentile) };
  // n_min(t) grows with t, so the largest t that fits is found by bisection: low fits, high does not.
  let low = 1;
  let high = n;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (minQueries(percentile, middle) <= n) low = middle;
    else high = middle;
  }
  return { value: sorted[n - low]!, overLatency: low };
}

/** The server rule: `overLatency` of `queries` were over the bound. `more` under-latency queries would make it pass. */
export function earlyStoppingServer(
  queries: number,
  overLatency: number,
  percentile: number,
): { readonly pass: boolean; readonly more: number } {
  const needed = minQueries(percentile, overLatency);
  return { pass: queries >= needed, more: Math.max(0, needed - queries) };
}

const cache = new Map<string, number>();

/** The smallest h with I_p(h, t+1) < 1 − c: doubling, then bisection (it falls as h grows). */
function leastUnder(percentile: number, overLatency: number): number {
  const enough = (h: number) => incompleteBeta(percentile, h, overLatency + 1) < 1 - CONFIDENCE;
  let high = 1;
  while (!enough(high)) high *= 2;
  let low = high >> 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}
