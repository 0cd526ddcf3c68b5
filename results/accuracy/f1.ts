import { resampledInterval } from '../stats/index.js';
import type { AccuracyMetric } from './contract.js';
import { classesOf } from './support.js';

/** Predicted and right class in one number. */
const RADIX = 2 ** 24;

/**
 * Macro F1: for each class that occurs, as right or as predicted, 2 TP / (2 TP + FP + FN), and of these the mean. Its interval
 * draws samples anew.
 */
export const f1: AccuracyMetric = {
  name: 'f1',
  summary: 'Macro F1 over the classes that occur (bootstrap over samples)',
  kind: 'number',
  needs: 'class',
  judge(answer, truth) {
    const [predicted] = classesOf(answer, 1);
    if (predicted === undefined || typeof truth !== 'number' || predicted < 0 || truth < 0) return Number.NaN;
    return predicted * RADIX + truth;
  },
  total(judgements, seed) {
    const all = Uint32Array.from(judgements, (_, i) => i);
    const value = macroF1(judgements, all);
    const interval = resampledInterval(judgements.length, seed, (drawn) => macroF1(judgements, drawn));
    return { value, interval: interval ?? { low: value, high: value, level: 0.95 }, correct: null };
  },
};

function macroF1(judgements: Float64Array, drawn: Uint32Array): number {
  const hits = new Map<number, number>();
  const uses = new Map<number, number>();
  for (const index of drawn) {
    const predicted = Math.floor(judgements[index]! / RADIX);
    const right = judgements[index]! % RADIX;
    if (predicted === right) hits.set(right, (hits.get(right) ?? 0) + 1);
    // 2 TP + FP + FN: a class counts once as predicted and once as right.
    uses.set(predicted, (uses.get(predicted) ?? 0) + 1);
    uses.set(right, (uses.get(right) ?? 0) + 1);
  }
  let sum = 0;
  for (const [index, count] of uses) sum += (2 * (hits.get(index) ?? 0)) / count;
  return sum / uses.size;
}
