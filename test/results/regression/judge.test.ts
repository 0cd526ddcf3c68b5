import { describe, expect, it } from 'vitest';
import { confirmed, isBad, judgeRun } from '../../../results/regression/index.js';
import { fakeHistory, fakeNight } from '../../fakes/history.js';

const OPTIONS = { seed: 4n, minShift: 0.02 };

/** What `servemark gate` does, in virtual time: judge a night by ten, confirm by another. */
function regressed(seed: bigint, factor: number): boolean {
  const history = fakeHistory(10, seed);
  const judge = (night: number) => judgeRun(fakeNight({ night, factor }, seed), history, OPTIONS);
  const first = judge(11);
  return first.some(isBad) && confirmed(first, judge(12)).length > 0;
}

describe('the gate', () => {
  it('calls 10 % more service time a regression in at least 9 of 10 tries', () => {
    const found = Array.from({ length: 10 }, (_, i) => regressed(BigInt(i), 1.1));
    expect(found.filter(Boolean).length).toBeGreaterThanOrEqual(9);
  });

  it('calls nothing a regression in at most 1 of 20 tries, and in at most 5 of 100', () => {
    const found = Array.from({ length: 100 }, (_, i) => regressed(BigInt(1000 + i), 1));
    expect(found.slice(0, 20).filter(Boolean).length).toBeLessThanOrEqual(1);
    expect(found.filter(Boolean).length).toBeLessThanOrEqual(5);
  });

  it('says by how much, with an interval that holds the truth, and which quantiles moved', () => {
    const findings = judgeRun(fakeNight({ night: 11, factor: 1.2 }, 7n), fakeHistory(10, 7n), OPTIONS);
    const p50 = findings.find(({ figure }) => figure === 'p50Latency')!;
    expect(p50).toMatchObject({ state: 'regressed', trials: 5, baselineTrials: 50, baselineRuns: 10 });
    expect(p50.interval!.low).toBeLessThan(1.2);
    expect(p50.interval!.high).toBeGreaterThan(1.2);
    expect(p50.text).toMatch(/^\+(1[6-9]|2[0-4])\.\d %$/);
    expect(p50.quantiles!.map(({ p }) => p)).toEqual([0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]);
    expect(p50.quantiles![2]!.band.low).toBeGreaterThan(1);
    expect(findings.find(({ figure }) => figure === 'throughput')!.state).toBe('regressed');
    expect(findings.find(({ figure }) => figure === 'cpuPerRequest')!.state).toBe('level');
  });

  it('calls the other direction an improvement', () => {
    const findings = judgeRun(fakeNight({ night: 11, factor: 0.8 }, 7n), fakeHistory(10, 7n), OPTIONS);
    expect(findings.find(({ figure }) => figure === 'p50Latency')!.state).toBe('improved');
    expect(findings.find(({ figure }) => figure === 'throughput')!.state).toBe('improved');
  });

  it('judges nothing by fewer than five trials, and says so', () => {
    const few = judgeRun(fakeNight({ night: 11, factor: 2, trials: 4 }, 7n), fakeHistory(10, 7n), OPTIONS);
    expect(few.every(({ state }) => state === 'unjudged')).toBe(true);
    expect(few[0]!.text).toMatch(/4 VALID trials .* 50 of the baseline; 5 of each/);
    expect(judgeRun(fakeNight({ night: 11 }, 7n), [], OPTIONS)[0]!.state).toBe('unjudged');
  });

  it('calls a shift within the differences of nights noise, and one below the least that matters no finding', () => {
    const restless = fakeHistory(10, 3n, (night) => (night === 4 ? 1.3 : 1));
    const p50 = (options = OPTIONS, history = restless) =>
      judgeRun(fakeNight({ night: 11, factor: 1.12 }, 3n), history, options).find(
        ({ figure }) => figure === 'p50Latency',
      )!;
    expect(p50()).toMatchObject({ state: 'level', text: expect.stringMatching(/^within the noise/) });
    expect(p50({ ...OPTIONS, minShift: 0.2 }, fakeHistory(10, 3n)).text).toMatch(/^shift below the 20\.0 %/);
  });

  it('calls a cell whose trials all fail broken, whatever its figures were', () => {
    const night = fakeNight({ night: 11 }, 1n);
    const dead = { ...night, cells: [{ ...night.cells[0]!, trials: [], failed: 5 }] };
    expect(judgeRun(dead, fakeHistory(3, 1n), OPTIONS).every(({ state }) => state === 'broken')).toBe(true);
  });

  it('confirms only what the second run shows too', () => {
    const history = fakeHistory(10, 7n);
    const slow = judgeRun(fakeNight({ night: 11, factor: 1.2 }, 7n), history, OPTIONS);
    const fine = judgeRun(fakeNight({ night: 12 }, 7n), history, OPTIONS);
    expect(confirmed(slow, fine)).toEqual([]);
    expect(confirmed(slow, slow).map(({ figure }) => figure)).toContain('p50Latency');
  });
});
