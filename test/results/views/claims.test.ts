import { describe, expect, it } from 'vitest';
import type { TrialSummary } from '../../../results/summary.js';
import { amongAll, claim } from '../../../results/views/support/claims.js';
import { latency, mergeValues, throughput } from '../../../results/views/support/figures.js';
import type { Group } from '../../../results/views/support/groups.js';
import { claimWords, tallyWords } from '../../../results/views/support/sentences.js';
import { fakeRun } from '../../fakes/runs.js';

/** A real summary with other figures: throughput by repeat, and p99 in ms with its own interval ± 1 %. */
const { run } = fakeRun({ repeats: 1, loads: ['half'], transports: ['grpc'], requests: 700 });
const template = (run.outcomes[0] as { readonly summary: TrialSummary }).summary;

function group(system: string, p99Ms: readonly number[], rates: readonly number[] = p99Ms.map(() => 100)): Group {
  const summaries = p99Ms.map((ms, i): TrialSummary => {
    const interval = { low: ms * 0.99e6, high: ms * 1.01e6, level: 0.95 };
    return {
      ...template,
      trial: { ...template.trial, system, repeat: i + 1 },
      latencyNs: { ...template.latencyNs, p99: { value: ms * 1e6, interval } },
      throughputPerSecond: rates[i]!,
      verdict: { state: 'VALID', findings: [] },
    };
  });
  return {
    system,
    load: 'half',
    loadType: 'server',
    transport: 'grpc',
    simulated: false,
    summaries,
    invalid: 0,
    failed: 0,
    skipped: 0,
  };
}

const p99 = latency('p99');

describe('claims', () => {
  it('shows a difference where five paired ratios agree: 1 ms against 2 ms is 0.50 ×', () => {
    const made = claim([group('a', [2, 2.02, 1.98, 2, 2]), group('b', [1, 1.01, 0.99, 1, 1])], p99, 1n)!;
    expect(made.strength).toBe('shown');
    expect(made.best.group.system).toBe('b');
    expect(made.rivals[0]!.ratio.ratio).toBeCloseTo(0.5, 6);
    expect(claimWords(made)).toBe(
      '**b** has the lowest p99 latency, 1.00 ms: 0.50 × a’s (95 % interval 0.50–0.50, 5 pairs)',
    );
  });

  it('pairs repeats, so that a drift that hits both systems does not hide the difference', () => {
    const made = claim([group('a', [1, 2, 4, 8, 16]), group('b', [1.1, 2.2, 4.4, 8.8, 17.6])], p99, 1n)!;
    expect(made.strength).toBe('shown');
    expect(made.rivals[0]!.ratio.ratio).toBeCloseTo(1 / 1.1, 6);
  });

  it('shows none where the ratios lie on both sides of 1', () => {
    const made = claim([group('a', [1, 1.2, 1, 1.2, 1.1]), group('b', [1.2, 1, 1.2, 1, 1.1])], p99, 1n)!;
    expect(made.strength).toBe('level');
    expect(claimWords(made)).toBe('no difference shown in p99 latency between **a** (1.10 ms) and **b** (1.10 ms)');
  });

  it('only hints at a difference that fewer than five pairs agree on', () => {
    const made = claim([group('a', [2, 2, 2]), group('b', [1, 1.01, 1])], p99, 1n)!;
    expect(made.strength).toBe('hinted');
    expect(claimWords(made)).toContain('**b** seems to have the lowest p99 latency');
  });

  it('only hints at a difference that rests on an INVALID trial', () => {
    const invalid = { ...group('a', [2, 2, 2, 2, 2]), invalid: 1 };
    const made = claim([invalid, group('b', [1, 1, 1.01, 1, 1])], p99, 1n)!;
    expect(made.strength).toBe('hinted');
  });

  it('compares single trials by their own intervals: apart is a hint, overlapping shows nothing', () => {
    expect(claim([group('a', [2]), group('b', [1])], p99, 1n)!.strength).toBe('hinted');
    expect(claim([group('a', [1.01]), group('b', [1])], p99, 1n)!.strength).toBe('level');
    expect(claim([group('a', [2, 1]), group('b', [1, 1.001])], p99, 1n)!.strength).toBe('level');
  });

  it('names who is behind the leaders that are level', () => {
    const arena = [group('a', [1, 1.02, 1, 1.02, 1]), group('b', [1.02, 1, 1.02, 1, 1]), group('c', [3, 3, 3.1, 3, 3])];
    const made = claim(arena, p99, 1n)!;
    expect(claimWords(made)).toMatch(
      /^no difference shown in p99 latency between \*\*[ab]\*\* \(1\.00 ms\) and \*\*[ab]\*\* \(1\.00 ms\); c \(3\.00 ms\) is behind: [ab] has 0\.3\d × c’s/,
    );
    expect(tallyWords([made])).toBe('Of 1 comparison, no single best is shown in 1. **c** is behind in 1.');
  });

  it('ranks throughput the other way round', () => {
    const made = claim([group('a', [1, 1], [50, 50]), group('b', [1, 1], [80, 80])], throughput, 1n)!;
    expect(made.best.group.system).toBe('b');
    expect(made.best.merged.value).toBe(80);
  });

  it('judges a comparison among all that the report makes: p 0.01 stands alone, not beside forty that show nothing', () => {
    const close = claim([group('a', [1.04, 1.06, 1.1, 1.02, 1.09]), group('b', [1, 1, 1, 1, 1])], p99, 1n)!;
    const equal = claim([group('a', [1, 1.02, 0.99, 1.01, 1]), group('b', [1, 1, 1.01, 1, 1])], p99, 1n)!;
    expect(amongAll([close])[0]!.strength).toBe('shown');
    expect(amongAll([close, ...Array.from({ length: 40 }, () => equal)])[0]!.strength).toBe('hinted');
  });

  it('shows nothing below what a system differs from itself under two names', () => {
    const arena = [group('a', [1.1, 1.1, 1.1, 1.1, 1.1]), group('b', [1, 1, 1, 1, 1])];
    const twins = [group('b', [1, 1, 1, 1, 1]), group('b-again', [1, 1.12, 1, 1, 1])] as const;
    expect(claim(arena, p99, 1n)!.strength).toBe('shown');
    expect(claim(arena, p99, 1n, twins)!.strength).toBe('level');
  });

  it('has nothing to say of one system but its figure', () => {
    expect(claimWords(claim([group('a', [1])], p99, 1n)!)).toBe(
      '**a** has a p99 latency of 1.00 ms (nothing to compare with)',
    );
    expect(claim([group('a', [])], p99, 1n)).toBeUndefined();
  });
});

describe('merging repeats', () => {
  it('takes the median: the middle one, or the mean of the two in the middle', () => {
    expect(mergeValues([3, 1, 2])).toEqual({ value: 2, low: 1, high: 3, n: 3 });
    expect(mergeValues([4, 1, 2, 3])).toEqual({ value: 2.5, low: 1, high: 4, n: 4 });
    expect(mergeValues([])).toBeUndefined();
  });
});
