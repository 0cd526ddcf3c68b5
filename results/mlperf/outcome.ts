import { fixed } from './numbers.js';
import type { Performance } from './performance.js';
import type { MlperfTrial } from './settings.js';

/** The percentiles that LoadGen prints, and the names it prints them by. */
export const PRINTED = [0.5, 0.9, 0.95, 0.97, 0.99, 0.999].map((p) => ({ p, name: fixed(p * 100, 2) }));

/** VALID by LoadGen's rules *and* by our own gates; else every reason. */
export function outcomeOf(
  { verdict }: MlperfTrial,
  { rules, incomplete }: Performance,
): { readonly valid: boolean; readonly reasons: readonly string[]; readonly errors: readonly string[] } {
  const broken = [
    rules.constraint ? '' : 'Reduce target QPS to improve latency.',
    rules.minDuration ? '' : 'The minimum duration was not reached.',
    rules.minQueries ? '' : 'The minimum number of queries or samples was not reached.',
    rules.earlyStopping ? '' : 'Early stopping needs more queries.',
    ...verdict.findings.filter(({ severity }) => severity === 'invalid').map(({ message }) => message),
  ].filter((reason) => reason !== '');
  const errors =
    incomplete > 0 ? [`Encountered incomplete samples at the end of a series of queries. count: ${incomplete}`] : [];
  return { valid: broken.length === 0 && errors.length === 0, reasons: broken, errors };
}
