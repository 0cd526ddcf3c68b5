import type { Interval } from '../summary.js';
import { percentile } from './percentile.js';
import { FastRandom, uniformInt } from './random.js';

/** How one quantile moved. */
export interface QuantileShift {
  readonly p: number;
  /** Geometric mean of the candidate's quantiles over the baseline's. */
  readonly ratio: number;
  /** Of the simultaneous band: all quantiles' intervals hold together at its level. */
  readonly band: Interval;
}

const PERMUTATIONS = 999;
const LEVEL = 0.95;

/**
 * The quantile shift function of candidate against baseline: `[trial][k]` is the trial's quantile at `grid[k]`, all > 0. A
 * trial is the independent unit, never a request. The band is simultaneous: the greatest studentised difference over the
 * grid is held against its distribution under permuted labels. Null below 3 trials a side. Deterministic in `seed`.
 * Source: the shift function, Doksum 1974; the max-t permutation step, Westfall and Young 1993.
 */
export function shiftFunction(
  candidate: readonly (readonly number[])[],
  baseline: readonly (readonly number[])[],
  grid: readonly number[],
  seed: bigint,
): QuantileShift[] | null {
  if (candidate.length < 3 || baseline.length < 3) return null;
  const logs = [...candidate, ...baseline].map((row) => row.map((value) => Math.log(value)));
  const labels = logs.map((_, i) => i < candidate.length);
  const observed = grid.map((_, k) => difference(logs, labels, k));
  const random = new FastRandom(seed);
  const greatest = Float64Array.from({ length: PERMUTATIONS }, () => {
    shuffleLabels(labels, random);
    return Math.max(...grid.map((_, k) => Math.abs(studentised(difference(logs, labels, k)))));
  }).sort();
  const critical = percentile(greatest, LEVEL);
  return grid.map((p, k) => {
    const { shift, error } = observed[k]!;
    const band = { low: Math.exp(shift - critical * error), high: Math.exp(shift + critical * error), level: LEVEL };
    return { p, ratio: Math.exp(shift), band };
  });
}

interface Difference {
  readonly shift: number;
  readonly error: number;
}

function difference(rows: readonly (readonly number[])[], labels: readonly boolean[], k: number): Difference {
  const sums = { true: [0, 0, 0], false: [0, 0, 0] };
  for (const [i, row] of rows.entries()) {
    const sum = sums[labels[i] ? 'true' : 'false'];
    sum[0]!++;
    sum[1]! += row[k]!;
  }
  const mean = (label: boolean) => sums[label ? 'true' : 'false'][1]! / sums[label ? 'true' : 'false'][0]!;
  const [here, there] = [mean(true), mean(false)];
  for (const [i, row] of rows.entries())
    sums[labels[i] ? 'true' : 'false'][2]! += (row[k]! - (labels[i] ? here : there)) ** 2;
  const share = ([n, , squares]: readonly number[]) => squares! / (n! * (n! - 1));
  return { shift: here - there, error: Math.sqrt(share(sums.true) + share(sums.false)) };
}

function studentised({ shift, error }: Difference): number {
  return error > 0 ? shift / error : shift === 0 ? 0 : Number.MAX_VALUE;
}

function shuffleLabels(labels: boolean[], random: FastRandom): void {
  for (let i = labels.length - 1; i > 0; i--) {
    const j = uniformInt(random, i + 1);
    [labels[i], labels[j]] = [labels[j]!, labels[i]!];
  }
}
