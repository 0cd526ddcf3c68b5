import type { AccuracyMetric } from './contract.js';
import { shareOf, textsOf } from './support.js';

/** The text is the right one, character by character, white space at both ends aside. */
export const exactMatch: AccuracyMetric = {
  name: 'exact-match',
  summary: 'Share of samples whose text is exactly the right one (Wilson)',
  kind: 'share',
  needs: 'text',
  judge(answer, truth) {
    const [text] = textsOf(answer);
    return text === undefined || typeof truth !== 'string' ? Number.NaN : Number(text.trim() === truth.trim());
  },
  total: shareOf,
};
