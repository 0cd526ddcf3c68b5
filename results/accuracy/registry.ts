import { lookUp } from '../lookup.js';
import type { AccuracyMetric } from './contract.js';
import { cosine } from './cosine.js';
import { exactMatch } from './exact-match.js';
import { f1 } from './f1.js';
import { meanAbsoluteError } from './mean-absolute-error.js';
import { top1 } from './top-1.js';
import { top5 } from './top-5.js';

/** Every way to judge answers. One import and one line per addition. */
export const accuracyMetrics = [
  top1,
  top5,
  f1,
  exactMatch,
  meanAbsoluteError,
  cosine,
] as const satisfies readonly AccuracyMetric[];

/** The metric of that name. Throws UserError that lists all names. */
export function accuracyMetricNamed(name: string, place = 'accuracy.metric'): AccuracyMetric {
  return lookUp<AccuracyMetric>(accuracyMetrics, name, 'accuracy metric', place);
}
