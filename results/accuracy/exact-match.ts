import type { AccuracyMetric } from './contract.js';
import { shareOf, textsOf } from './support.js';

/** The text is the right one, character by character, white space at both ends aside; several texts are lines of one. */
export const exactMatch: AccuracyMetric = {
  name: 'exact-match',
  summary: 'Share of samples whose text is exactly the right one (Wilson)',
  kind: 'share',
  needs: 'text',
  judge(answer, truth) {
    const texts = textsOf(answer);
    if (texts.length === 0 || typeof truth !== 'string') return Number.NaN;
    return Number(texts.join('\n').trim() === truth.trim());
  },
  total: shareOf,
};
