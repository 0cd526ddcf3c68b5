import { compareSystems } from '../../results/compare.js';
import type { TrialOutcome } from '../../results/summary.js';

/** What the paired trials allow to be said of tuned against author. */
export function sentencesOf(
  outcomes: readonly TrialOutcome[],
  [author, tuned]: readonly [author: string, tuned: string],
  seed: bigint,
): string[] {
  return compareSystems(outcomes, tuned, author, { seed }).map(({ figure, ratio: { ratio, interval }, claim }) => {
    const times = ratio === null ? '' : ` ${ratio.toFixed(2)} ×`;
    const between = interval ? ` (95 % ${interval.low.toFixed(2)}–${interval.high.toFixed(2)})` : '';
    return `${figure}${times}${between}: ${claim.text}`;
  });
}
