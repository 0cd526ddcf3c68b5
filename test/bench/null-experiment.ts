import { type Comparison, compareSystems } from '../../results/compare.js';
import { binomialCdf } from '../../results/stats/beta.js';
import type { TrialOutcome } from '../../results/summary.js';

/** What comparing a system with itself came to. */
export interface NullResult {
  readonly repetitions: number;
  /** Repetitions in which some figure was called better or worse: there is no truth in any. */
  readonly falsePositives: number;
  /** Figures looked at, those whose own interval excludes 1, and those that were claims. */
  readonly figures: number;
  readonly excluding: number;
  readonly claims: number;
  readonly invalidPairs: number;
}

export const NULL_RESULT: NullResult = {
  ...{ repetitions: 0, falsePositives: 0, figures: 0, excluding: 0, claims: 0, invalidPairs: 0 },
};

/** One repetition: `outcomes` are interleaved trials of one system under the names `one` and `two`. */
export function countRepetition(result: NullResult, outcomes: readonly TrialOutcome[], seed: bigint): NullResult {
  const found = compareSystems(outcomes, 'one', 'two', { seed });
  const claims = found.filter(isClaim).length;
  return {
    repetitions: result.repetitions + 1,
    falsePositives: result.falsePositives + (claims > 0 ? 1 : 0),
    figures: result.figures + found.filter(({ ratio }) => ratio.ratio !== null).length,
    excluding:
      result.excluding +
      found.filter(({ ratio: { interval } }) => interval && (interval.low > 1 || interval.high < 1)).length,
    claims: result.claims + claims,
    invalidPairs: result.invalidPairs + (found[0]?.invalidPairs ?? 0),
  };
}

export function isClaim({ claim }: Comparison): boolean {
  return claim.state === 'better' || claim.state === 'worse';
}

/** `at most 2 of 40 were expected at 5 %; so many or more happen with probability 0.32`, and the bound of the true rate. */
export function nullWords({
  repetitions,
  falsePositives,
  figures,
  excluding,
  claims,
  invalidPairs,
}: NullResult): string {
  const soMany = falsePositives === 0 ? 1 : 1 - binomialCdf(falsePositives - 1, repetitions, 0.05);
  return [
    `${falsePositives} of ${repetitions} comparisons of a system with itself made a false claim (5 % would be ${(0.05 * repetitions).toFixed(1)}).`,
    `If the true rate were 5 %, so many or more would be seen with probability ${soMany.toFixed(2)}; the true rate is below ${(100 * upperBound(falsePositives, repetitions)).toFixed(1)} % with confidence 95 %.`,
    `Of ${figures} figures ${excluding} had a 95 % interval without 1 (5 % would be ${(0.05 * figures).toFixed(1)}), ${claims} were claims; ${invalidPairs} pairs held an INVALID trial.`,
  ].join('\n');
}

/** The rate q at which so few successes have probability 5 %. Source: Clopper and Pearson 1934, one-sided. */
function upperBound(successes: number, total: number): number {
  if (successes >= total) return 1;
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (binomialCdf(successes, total, middle) > 0.05) low = middle;
    else high = middle;
  }
  return high;
}
