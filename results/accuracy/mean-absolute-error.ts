import type { AccuracyMetric } from './contract.js';
import { meanOf, pairsOf } from './support.js';

/** |answer − right value|, in the mean over the numbers of a sample and over samples. */
export const meanAbsoluteError: AccuracyMetric = {
  name: 'mean-absolute-error',
  summary: 'Mean distance of the numbers from the right ones; lower is better (bootstrap)',
  kind: 'number',
  lowerIsBetter: true,
  needs: 'outputs',
  judge(answer, truth) {
    const pair = pairsOf(answer, truth);
    if (!pair || pair[0].length === 0) return Number.NaN;
    let sum = 0;
    for (let i = 0; i < pair[0].length; i++) sum += Math.abs(pair[0][i]! - pair[1][i]!);
    return sum / pair[0].length;
  },
  total: meanOf,
};
