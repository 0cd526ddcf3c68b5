import { errorFunction } from 'simple-statistics';
import type { Interval } from '../summary.js';

/** Two independent samples compared by ranks. */
export interface RankSum {
  /** Pairs (x, y) with x > y, ties counting a half. */
  readonly u: number;
  /** Two-sided: twice the smaller tail, at most 1. */
  readonly pValue: number;
  readonly exact: boolean;
}

/** Up to so many values in all the distribution is counted, ties included; beyond it is the normal one. */
const EXACT_UP_TO = 60;

/**
 * The Mann–Whitney test of x against y. With ties the null distribution is the exact one given the ties (midranks). Both need
 * at least one value. Source: Mann and Whitney 1947; the normal form with tie and continuity corrections: Lehmann,
 * "Nonparametrics", section 1.5.
 */
export function mannWhitney(x: readonly number[], y: readonly number[]): RankSum {
  const ranks = doubledMidranks([...x, ...y]);
  const sum = ranks.slice(0, x.length).reduce((total, rank) => total + rank, 0);
  const u = sum / 2 - (x.length * (x.length + 1)) / 2;
  const exact = ranks.length <= EXACT_UP_TO;
  const pValue = exact ? exactTails(ranks, x.length, sum) : normalTails(ranks, x.length, u);
  return { u, pValue, exact };
}

/** How far x lies above y. */
export interface Shift {
  /** Hodges–Lehmann: the median of all differences x − y. */
  readonly shift: number;
  /** Null where the samples are too small for the level (3 against 3). */
  readonly interval: Interval | null;
}

/**
 * The Hodges–Lehmann shift of x against y with the interval that the Mann–Whitney test inverts to. Source: Hollander, Wolfe
 * and Chicken, "Nonparametric statistical methods", sections 4.2 and 4.3.
 */
export function hodgesLehmann(x: readonly number[], y: readonly number[], level = 0.95): Shift {
  const differences = Float64Array.from(x.flatMap((a) => y.map((b) => a - b))).sort();
  const n = differences.length;
  const middle = n >> 1;
  const shift = n % 2 === 1 ? differences[middle]! : (differences[middle - 1]! + differences[middle]!) / 2;
  const cut = lowerCut(x.length, y.length, (1 - level) / 2);
  return { shift, interval: cut === 0 ? null : { low: differences[cut - 1]!, high: differences[n - cut]!, level } };
}

/** Twice the midranks, so that they are whole: of 1 2 2 5 they are 2 5 5 8. */
function doubledMidranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const ranks = new Array<number>(values.length);
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (let k = from; k < to; k++) ranks[order[k]!] = from + 1 + to;
  }
  return ranks;
}

/** counts[s] = the subsets of `size` of these ranks that add up to s. */
function subsetSums(ranks: readonly number[], size: number): Float64Array {
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const counts = Array.from({ length: size + 1 }, () => new Float64Array(total + 1));
  counts[0]![0] = 1;
  for (const rank of ranks)
    for (let k = size; k >= 1; k--) {
      const [from, to] = [counts[k - 1]!, counts[k]!];
      for (let s = total; s >= rank; s--) to[s]! += from[s - rank]!;
    }
  return counts[size]!;
}

function exactTails(ranks: readonly number[], size: number, observed: number): number {
  const counts = subsetSums(ranks, size);
  let [all, below, above] = [0, 0, 0];
  for (const [s, count] of counts.entries()) {
    all += count;
    if (s <= observed) below += count;
    if (s >= observed) above += count;
  }
  return Math.min(1, (2 * Math.min(below, above)) / all);
}

function normalTails(ranks: readonly number[], size: number, u: number): number {
  const n = ranks.length;
  const ties = new Map<number, number>();
  for (const rank of ranks) ties.set(rank, (ties.get(rank) ?? 0) + 1);
  const tied = [...ties.values()].reduce((sum, t) => sum + t ** 3 - t, 0);
  const variance = ((size * (n - size)) / 12) * (n + 1 - tied / (n * (n - 1)));
  const distance = Math.max(0, Math.abs(u - (size * (n - size)) / 2) - 0.5);
  return variance === 0 ? 1 : Math.min(1, 1 - errorFunction(distance / Math.sqrt(2 * variance)));
}

const cuts = new Map<string, number>();

/** The greatest C with P[U ≤ C − 1] ≤ tail for samples of these sizes without ties; 0 where there is none. */
function lowerCut(m: number, n: number, tail: number): number {
  const key = `${m} ${n} ${tail}`;
  const known = cuts.get(key);
  if (known !== undefined) return known;
  const found = m + n <= EXACT_UP_TO ? exactCut(m, n, tail) : normalCut(m, n, tail);
  cuts.set(key, found);
  return found;
}

function exactCut(m: number, n: number, tail: number): number {
  const ranks = Array.from({ length: m + n }, (_, i) => i + 1);
  const counts = subsetSums(ranks, m);
  const all = counts.reduce((sum, count) => sum + count, 0);
  const least = (m * (m + 1)) / 2;
  let below = 0;
  for (let u = 0; u <= m * n; u++) {
    below += counts[least + u]!;
    if (below / all > tail) return u;
  }
  return 0;
}

function normalCut(m: number, n: number, tail: number): number {
  const deviation = Math.sqrt((m * n * (m + n + 1)) / 12);
  const tailAt = (c: number) => (1 - errorFunction(((m * n) / 2 - c + 0.5) / (deviation * Math.SQRT2))) / 2;
  let cut = Math.floor((m * n) / 2);
  while (cut > 0 && tailAt(cut) > tail) cut--;
  return cut;
}
