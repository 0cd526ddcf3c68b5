import type { AccuracyMetric } from './contract.js';
import { isAmong, shareOf } from './support.js';

/** The likeliest class is the right one. */
export const top1: AccuracyMetric = {
  name: 'top-1',
  summary: 'Share of samples whose likeliest class is the right one (Wilson)',
  kind: 'share',
  needs: 'class',
  judge: (answer, truth) => isAmong(answer, truth, 1),
  total: shareOf,
};
