import type { Interval } from '../summary.js';
import { expandedInterval, RESAMPLES, studentInterval } from './interval.js';
import { ascending } from './percentile.js';
import { FastRandom, uniformInt } from './random.js';

/**
 * Block-bootstrap interval of a percentile of values in order of time (NaN left out). Queueing makes neighbours alike, so
 * whole blocks of neighbours are drawn, never single values. Undefined below 20 values. Deterministic in `seed`. `sorted`
 * are the same values ascending (see `ascending`), which a summary has anyway.
 *
 * No replicate is sorted: a candidate value's rank in a replicate is a sum of its ranks in the drawn blocks, so each
 * replicate is a bisection over the candidates. The cost is one pass over the values, whatever the number of replicates.
 */
export function percentileInterval(
  values: ArrayLike<number>,
  sorted: Float64Array,
  p: number,
  seed: bigint,
): Interval | undefined {
  if (sorted.length < MIN_VALUES) return undefined;
  const replicator = percentileReplicator(values, sorted, p);
  const random = new FastRandom(seed);
  const drawn = new Uint32Array(replicator.blocks);
  const replicates = new Float64Array(RESAMPLES);
  for (let r = 0; r < RESAMPLES; r++) {
    for (let b = 0; b < drawn.length; b++) drawn[b] = uniformInt(random, drawn.length);
    replicates[r] = replicator.of(drawn);
  }
  return expandedInterval(replicates.sort(), replicator.blocks);
}

/** Fewer values than this make no blocks. */
export const MIN_VALUES = 20;

/** The percentile of drawn blocks of neighbours. */
export interface PercentileReplicator {
  readonly blocks: number;
  /** Of the blocks with these numbers, joined. */
  of(drawn: Uint32Array): number;
}

/** `values` in order of time (NaN left out) as blocks; at least 20 of them. `sorted`: the same, ascending. */
export function percentileReplicator(values: ArrayLike<number>, sorted: Float64Array, p: number): PercentileReplicator {
  const n = sorted.length;
  const blocks = blockCount(n);
  const candidates = candidateValues(sorted, p, blocks);
  const ranks = blockRanks(values, n, blocks, candidates);
  return { blocks, of: (drawn) => candidates[replicatePercentile(ranks, drawn, candidates.length, p)]! };
}

/**
 * Interval of the mean of a few independent figures (rates in time slices, repeats): the bootstrap's, never narrower than
 * Student's. Of five figures the bootstrap alone claims a difference where there is none 7 times in 100. Undefined below 2.
 */
export function meanInterval(values: readonly number[], seed: bigint): Interval | undefined {
  const n = values.length;
  if (n < 2) return undefined;
  const random = new FastRandom(seed);
  const replicates = new Float64Array(RESAMPLES);
  for (let r = 0; r < RESAMPLES; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[uniformInt(random, n)]!;
    replicates[r] = sum / n;
  }
  const drawn = expandedInterval(replicates.sort(), n);
  const student = studentInterval(values);
  return { ...drawn, low: Math.min(drawn.low, student.low), high: Math.max(drawn.high, student.high) };
}

/** Interval of any statistic of n independent units: `of` is told which were drawn, with repetition. Undefined below 2. */
export function resampledInterval(n: number, seed: bigint, of: (drawn: Uint32Array) => number): Interval | undefined {
  if (n < 2) return undefined;
  const random = new FastRandom(seed);
  const drawn = new Uint32Array(n);
  const replicates = new Float64Array(RESAMPLES);
  for (let r = 0; r < RESAMPLES; r++) {
    for (let i = 0; i < n; i++) drawn[i] = uniformInt(random, n);
    replicates[r] = of(drawn);
  }
  return expandedInterval(replicates.sort(), n);
}

/**
 * √n blocks, 10 to 100: long enough to hold a queue's memory (10,000 values: blocks of 100), enough of them for a stable
 * interval.
 */
function blockCount(n: number): number {
  return Math.min(100, Math.max(10, Math.round(Math.sqrt(n))));
}

/** Below so many values around the percentile the interval is exact. */
const CANDIDATES = 1024;

/**
 * The values that a replicate's percentile can be. In the worst case (each block all alike) its rank has the standard
 * deviation √(p(1−p)/blocks), so ± 5 of these around p hold every replicate that counts. Where these are too many, they
 * are picked denser towards p, where the replicates of well-mixed values crowd: a cube does that.
 */
function candidateValues(sorted: Float64Array, p: number, blocks: number): Float64Array {
  const n = sorted.length;
  const reach = 5 * Math.sqrt((p * (1 - p)) / blocks);
  const rankOf = (share: number) => Math.min(n - 1, Math.max(0, Math.round(n * share)));
  const from = rankOf(p - reach);
  const all = rankOf(p + reach) - from + 1;
  const few = all <= CANDIDATES;
  const picked = new Float64Array(few ? all : CANDIDATES + 1);
  let count = 0;
  for (let i = 0; i < picked.length; i++) {
    const value = sorted[few ? from + i : rankOf(p + reach * ((2 * i) / CANDIDATES - 1) ** 3)]!;
    if (count === 0 || value > picked[count - 1]!) picked[count++] = value;
  }
  return picked.subarray(0, count);
}

interface BlockRanks {
  /** `[block · candidates + c]`: values of the block that are ≤ candidate c. */
  readonly atMost: Uint32Array;
  readonly sizes: Uint32Array;
}

function blockRanks(values: ArrayLike<number>, n: number, blocks: number, candidates: Float64Array): BlockRanks {
  const width = candidates.length;
  const atMost = new Uint32Array(blocks * width);
  const sizes = new Uint32Array(blocks);
  const last = candidates[width - 1]!;
  let seen = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    const block = Math.floor((seen++ * blocks) / n);
    sizes[block]!++;
    if (value <= last) atMost[block * width + firstNotBelow(candidates, value)]!++;
  }
  for (let b = 0; b < blocks; b++) for (let c = b * width + 1; c < (b + 1) * width; c++) atMost[c]! += atMost[c - 1]!;
  return { atMost, sizes };
}

/** The smallest candidate c with (values ≤ c) > ⌊n·p⌋ in the replicate: exactly sorted[⌊n·p⌋] of it. */
function replicatePercentile(ranks: BlockRanks, drawn: Uint32Array, width: number, p: number): number {
  let size = 0;
  for (const block of drawn) size += ranks.sizes[block]!;
  const rank = Math.floor(size * p + 1e-9);
  let low = 0;
  let high = width - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    let below = 0;
    for (const block of drawn) below += ranks.atMost[block * width + middle]!;
    if (below > rank) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Index of the first candidate ≥ value. Most values of a tail percentile lie below them all. */
function firstNotBelow(candidates: Float64Array, value: number): number {
  if (value <= candidates[0]!) return 0;
  let low = 1;
  let high = candidates.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (candidates[middle]! >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** For values that are in order of time already: sorts them too. */
export function percentileIntervalOf(values: ArrayLike<number>, p: number, seed: bigint): Interval | undefined {
  return percentileInterval(values, ascending(values), p, seed);
}
