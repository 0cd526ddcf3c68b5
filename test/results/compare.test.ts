import { describe, expect, it } from 'vitest';
import { compareRuns, compareSystems } from '../../results/compare.js';
import { summarise } from '../../results/summarise.js';
import type { TrialOutcome } from '../../results/summary.js';
import { CLOSED, factsOf, steady } from './facts.js';

/** 100 requests one after the other of `ms` each: 1000/ms a second. `cpu` seconds of the server. */
function trial(
  system: string,
  repeat: number,
  ms: number,
  changes: { invalid?: boolean; load?: string } = {},
): TrialOutcome {
  const facts = factsOf(steady(100, ms, ms), {
    identity: { id: `${system}.${repeat}`, system, repeat, load: changes.load ?? 'loop' },
    load: CLOSED,
    drive: { stoppedEarly: changes.invalid ? 'interrupted' : null },
    processes: [
      ...[
        {
          role: 'server',
          userSeconds: ms / 10,
          systemSeconds: 0,
          rssPeakBytes: null,
          rssFirstBytes: null,
          rssLastBytes: null,
        },
      ],
    ],
  });
  return { state: 'completed', summary: summarise(facts) };
}

const run = (a: readonly number[], b: readonly number[]): TrialOutcome[] => [
  ...a.map((ms, i) => trial('new', i + 1, ms)),
  ...b.map((ms, i) => trial('old', i + 1, ms)),
];
const compare = (outcomes: readonly TrialOutcome[], figure: string, identical?: readonly [string, string]) =>
  compareSystems(outcomes, 'new', 'old', { seed: 4n, identical }).find((one) => one.figure === figure)!;

describe('two systems', () => {
  it('that differ twofold in each of five repeats are told apart, in throughput, latency and CPU time', () => {
    const outcomes = run([5, 6, 7, 8, 9], [10, 12, 14, 16, 18]);
    expect(compare(outcomes, 'throughput').ratio.ratio).toBeCloseTo(2, 9);
    expect(compare(outcomes, 'throughput').claim).toEqual({ state: 'better', text: 'better, n = 5' });
    expect(compare(outcomes, 'p50Latency').ratio.ratio).toBeCloseTo(0.5, 9);
    expect(compare(outcomes, 'p50Latency').claim.state).toBe('better');
    expect(compare(outcomes, 'cpuPerRequest').ratio.ratio).toBeCloseTo(0.5, 9);
  });

  it('say so the other way round', () => {
    expect(compare(run([10, 12, 14, 16, 18], [5, 6, 7, 8, 9]), 'throughput').claim.state).toBe('worse');
  });

  it('with three repeats give an indication, however clear', () => {
    expect(compare(run([5, 5, 5], [50, 50, 50]), 'throughput').claim).toEqual({
      state: 'indication',
      text: 'indication, n = 3',
    });
  });

  it('that win in turns are not told apart', () => {
    expect(compare(run([10, 12, 10, 12, 11], [12, 10, 12, 10, 11]), 'throughput').claim.state).toBe('equal');
  });

  it('must differ by more than one system does from itself', () => {
    // New is 5 % faster throughout, but two names of one system differed by 10 %.
    const twins = [1, 2, 3, 4, 5].flatMap((i) => [trial('same', i, 10), trial('twin', i, 11)]);
    const outcomes = [...run([9.5, 9.5, 9.5, 9.5, 9.5], [10, 10, 10, 10, 10]), ...twins];
    expect(compare(outcomes, 'throughput').claim.state).toBe('better');
    const judged = compare(outcomes, 'throughput', ['same', 'twin']);
    expect(judged.claim).toEqual({ state: 'equal', text: 'within the noise (A/A pairs differ by up to 10.0 %)' });
  });

  it('are paired by repeat: a failed trial costs its pair, not its place', () => {
    const outcomes = run([5, 6, 7], [10, 99, 14]).filter(
      (outcome) => outcome.state !== 'completed' || outcome.summary.trial.id !== 'old.2',
    );
    expect(compare(outcomes, 'throughput').ratio).toMatchObject({ pairs: 2 });
    expect(compare(outcomes, 'throughput').ratio.ratio).toBeCloseTo(2, 9);
  });

  it('make no claim of INVALID trials', () => {
    const outcomes = [
      ...run([5, 5, 5, 5], [10, 10, 10, 10]),
      trial('new', 5, 5, { invalid: true }),
      trial('old', 5, 10),
    ];
    expect(compare(outcomes, 'throughput').claim.text).toBe('indication, 1 of 5 pairs INVALID');
  });

  it('are not compared where one has no trial, nor in a percentile that was not printed', () => {
    expect(compareSystems([trial('new', 1, 5)], 'new', 'old', { seed: 1n })).toEqual([]);
    expect(compare(run([5], [10]), 'p99Latency').claim).toEqual({ state: 'unknown', text: 'no pair of figures' });
  });

  it('are judged among all that is looked at: three of 48 figures at p 0.01 are no claim', () => {
    // Ratios 1.02 … 1.10 over five pairs: p 0.01; eleven more loads of four figures each differ by nothing but chance.
    const wobble = [1.04, 1.06, 1.1, 1.02, 1.09];
    const cell = (load: string, ratios: readonly number[]) =>
      ratios.flatMap((ratio, i) => [trial('new', i + 1, 10 / ratio, { load }), trial('old', i + 1, 10, { load })]);
    const alone = cell('a', wobble);
    const equal = [0.99, 1.01, 1, 1.02, 0.98];
    const among = [...alone, ...[...'bcdefghijkl'].flatMap((load) => cell(load, equal))];
    expect(compare(alone, 'throughput').claim.state).toBe('better');
    const judged = compare(among, 'throughput');
    expect(judged.claim.text).toMatch(/^indication: p 0\.\d+ adjusted for 36 comparisons$/);
    expect(judged.adjustedP!).toBeGreaterThan(0.05);
  });

  it('without A/A pairs have the noise of their own repeats for a floor', () => {
    const outcomes = run([9, 10, 9, 10, 9.5], [10, 10, 10, 10, 10]);
    expect(compare(outcomes, 'throughput')).toMatchObject({ noiseFrom: 'repeats' });
    expect(compare(outcomes, 'throughput').noiseFloor).toBeCloseTo(10 / 9, 9);
  });
});

describe('two runs', () => {
  it('are no claim, however far apart: they were not interleaved', () => {
    const [first, second] = [
      [5, 6, 7, 8, 9],
      [10, 12, 14, 16, 18],
    ].map((list) => list.map((ms, i) => trial('one', i + 1, ms))) as [TrialOutcome[], TrialOutcome[]];
    const found = compareRuns(first, second, { seed: 1n }).find(({ figure }) => figure === 'p50Latency')!;
    expect(found).toMatchObject({
      system: 'one',
      claim: { state: 'indication', text: 'better, n = 5, not interleaved' },
    });
    expect(found.ratio.ratio).toBeCloseTo(0.5, 9);
  });
});
