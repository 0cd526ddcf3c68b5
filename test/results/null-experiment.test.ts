import { describe, expect, it } from 'vitest';
import type { TrialOutcome } from '../../results/summary.js';
import { countRepetition, NULL_RESULT, nullWords } from '../bench/null-experiment.js';
import { simulatedRepetition } from '../bench/null-simulated.js';

describe('the null experiment in virtual time', () => {
  it('finds one system under two names different in at most 2 of 40 comparisons', () => {
    let result = NULL_RESULT;
    for (let i = 1; i <= 40; i++) result = countRepetition(result, simulatedRepetition(BigInt(i)), BigInt(i));
    expect(result.repetitions).toBe(40);
    expect(result.figures).toBe(40 * 3);
    expect(result.falsePositives).toBeLessThanOrEqual(2);
  });

  it('would count a difference: a name that is twice as slow is a claim in every repetition', () => {
    let result = NULL_RESULT;
    for (let i = 1; i <= 5; i++) result = countRepetition(result, slower(simulatedRepetition(BigInt(100 + i))), 1n);
    expect(result.falsePositives).toBeGreaterThanOrEqual(4);
  });

  it('says what so many would mean', () => {
    expect(
      nullWords({ ...NULL_RESULT, repetitions: 40, falsePositives: 1, figures: 160, excluding: 7, claims: 1 }),
    ).toMatch(/^1 of 40 .*\(5 % would be 2\.0\)\.\n.*probability 0\.87; the true rate is below 11\.3 %/);
  });
});

/** `two` with every latency twice as long. */
function slower(outcomes: readonly TrialOutcome[]): TrialOutcome[] {
  return outcomes.map((outcome) => {
    if (outcome.state !== 'completed' || outcome.summary.trial.system !== 'two') return outcome;
    const { summary } = outcome;
    const { p50, p99 } = summary.latencyNs;
    const longer = (quantile: typeof p50) =>
      quantile.value === null ? quantile : { ...quantile, value: 2 * quantile.value };
    return {
      ...outcome,
      summary: { ...summary, latencyNs: { ...summary.latencyNs, p50: longer(p50), p99: longer(p99) } },
    };
  });
}
