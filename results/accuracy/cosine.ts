import type { AccuracyMetric } from './contract.js';
import { meanOf, pairsOf } from './support.js';

/** Cosine of the angle between the output and the reference's for the same sample; NaN where one of them is zero. */
export const cosine: AccuracyMetric = {
  name: 'cosine',
  summary: 'Mean cosine between the output and the reference’s for the same sample (bootstrap)',
  kind: 'number',
  needs: 'outputs',
  judge(answer, truth) {
    const pair = pairsOf(answer, truth);
    if (!pair) return Number.NaN;
    let [product, a, b] = [0, 0, 0];
    for (let i = 0; i < pair[0].length; i++) {
      product += pair[0][i]! * pair[1][i]!;
      a += pair[0][i]! ** 2;
      b += pair[1][i]! ** 2;
    }
    return product / Math.sqrt(a * b);
  },
  total: meanOf,
};
