import type { AccuracyMetric } from './contract.js';
import { isAmong, shareOf } from './support.js';

/** The right class is among the five likeliest; of an answer that names fewer, among those. */
export const top5: AccuracyMetric = {
  name: 'top-5',
  summary: 'Share of samples whose right class is among the five likeliest (Wilson)',
  kind: 'share',
  needs: 'class',
  judge: (answer, truth) => isAmong(answer, truth, 5),
  total: shareOf,
};
