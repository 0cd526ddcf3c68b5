import { FastRandom, type RandomSource, uniformInt } from './random.js';

/** Where a series changes: `at` is the index of the first value of the new level. */
export interface ChangePoint {
  readonly at: number;
  readonly pValue: number;
}

export interface ChangePointOptions {
  readonly seed: bigint;
  /** Fewest values between two changes. */
  readonly minSize?: number | undefined;
  readonly significance?: number | undefined;
  readonly permutations?: number | undefined;
}

/**
 * Change points of a series in order of time, ascending: the split with the greatest energy distance between its sides is
 * tested by permutations of the values, and both sides are searched again. Nothing is assumed of the distribution; a single
 * outlier makes no change point. Eight values are the fewest in which one can be found. Source: Matteson and James 2014,
 * "A nonparametric approach for multiple change point analysis" (E-divisive, exponent 1, the second side to the end).
 */
export function changePoints(values: readonly number[], options: ChangePointOptions): ChangePoint[] {
  const random = new FastRandom(options.seed);
  const { minSize = 3, significance = 0.05, permutations = 199 } = options;
  const found: ChangePoint[] = [];
  const search = (from: number, to: number): void => {
    const part = Float64Array.from(values.slice(from, to));
    const best = bestSplit(part, minSize);
    if (best.at === 0 || best.energy <= 0) return;
    const pValue = permutationTail(part, best.energy, minSize, permutations, random);
    if (pValue > significance) return;
    found.push({ at: from + best.at, pValue });
    search(from, from + best.at);
    search(from + best.at, to);
  };
  search(0, values.length);
  return found.sort((a, b) => a.at - b.at);
}

/** The split of greatest energy; `at` 0 where the series is too short. */
function bestSplit(values: Float64Array, minSize: number): { readonly at: number; readonly energy: number } {
  const n = values.length;
  let best = { at: 0, energy: 0 };
  // Sums of |difference| within the left side, across, and within the right side, moved along value by value.
  let [left, across, right] = [0, 0, 0];
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) right += Math.abs(values[i]! - values[j]!);
  for (let at = 1; at <= n - minSize; at++) {
    let [toLeft, toRight] = [0, 0];
    const moved = values[at - 1]!;
    for (let j = 0; j < at - 1; j++) toLeft += Math.abs(moved - values[j]!);
    for (let j = at; j < n; j++) toRight += Math.abs(moved - values[j]!);
    left += toLeft;
    right -= toRight;
    across += toRight - toLeft;
    if (at < minSize) continue;
    const energy = energyOf(at, n - at, left, across, right);
    if (energy > best.energy * (1 + 1e-12)) best = { at, energy };
  }
  return best;
}

function energyOf(m: number, n: number, left: number, across: number, right: number): number {
  const within = (sum: number, size: number) => (size < 2 ? 0 : (2 * sum) / (size * (size - 1)));
  return ((m * n) / (m + n)) * ((2 * across) / (m * n) - within(left, m) - within(right, n));
}

function permutationTail(
  values: Float64Array,
  energy: number,
  minSize: number,
  permutations: number,
  random: RandomSource,
): number {
  const shuffled = Float64Array.from(values);
  let reached = 1;
  for (let r = 0; r < permutations; r++) {
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = uniformInt(random, i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
    }
    if (bestSplit(shuffled, minSize).energy >= energy * (1 - 1e-12)) reached++;
  }
  return reached / (permutations + 1);
}
