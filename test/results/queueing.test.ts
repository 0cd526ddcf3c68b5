import { describe, expect, it } from 'vitest';
import { crossChecks } from '../../results/queueing.js';
import { meanPresent, mg1Wait } from '../../results/stats/queueing.js';
import { canonicalDouble, FastRandom } from '../../results/stats/random.js';
import { type Row, recordsOf } from './facts.js';

describe('the Pollaczek–Khinchine wait', () => {
  it('is ρ/(2(1−ρ)) services for equal ones, twice that for exponential ones: 2 and 4 at 80 %', () => {
    expect(mg1Wait(0.8, 1)).toBeCloseTo(2, 12);
    expect(mg1Wait(0.8, 1, 2)).toBeCloseTo(4, 12);
    expect(mg1Wait(1, 1)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the mean number present', () => {
  it('of one that stays 2 of 4 and one that never leaves from 3 on is 3/4; what came before counts from the start', () => {
    expect(meanPresent([1, 3], [3, Number.NaN], 0, 4)).toBe(0.75);
    expect(meanPresent([-5], [1], 0, 4)).toBe(0.25);
  });
});

describe('queueing theory beside records', () => {
  /** One server, Poisson arrivals at 80 % load, 1 ms a request. */
  const queue = (n: number): Row[] => {
    const random = new FastRandom(2n);
    let due = 0;
    let free = 0;
    return Array.from({ length: n }, (_, i): Row => {
      due -= Math.log(1 - canonicalDouble(random)) / 0.8;
      const start = Math.max(due, free);
      free = start + 1;
      return { due, completed: free, server: [0, start - due, 0.1, 0.8, 0.1, 0], execution: [i + 1, 1] };
    });
  };
  const served = { instances: 1, serial: true, poisson: true, workerSeconds: 80, durationNs: 100e9 };

  it('agrees with a simulated M/D/1 queue: Little within 2 %, the wait of 2 ms within 10 %, ρ 80 %', () => {
    const checks = crossChecks(recordsOf(queue(80_000)), served);
    const of = (law: string) => checks.find((check) => check.law.startsWith(law))!;
    expect(Math.abs(of('Little').measured / of('Little').expected - 1)).toBeLessThan(0.02);
    expect(of('utilisation')).toMatchObject({ measured: 0.8 });
    expect(of('utilisation').expected).toBeCloseTo(0.8, 2);
    expect(Math.abs(of('M/D/1').measured / of('M/D/1').expected - 1)).toBeLessThan(0.1);
    expect(of('M/G/1').expected).toBeCloseTo(of('M/D/1').expected, -3);
  });

  it('shows a wait that theory does not know: 1 ms more for each', () => {
    const slower = queue(20_000).map((row): Row => {
      const [a, wait, ...rest] = row.server!;
      return { ...row, completed: row.completed! + 1, server: [a, wait + 1, ...rest] as never };
    });
    const wait = crossChecks(recordsOf(slower), served).find(({ law }) => law.startsWith('M/D/1'))!;
    expect(wait.measured - wait.expected).toBeGreaterThan(0.5e6);
  });

  it('claims waits only where its conditions hold, and nothing of a hundredth of a trial', () => {
    const laws = (changes: object) =>
      crossChecks(recordsOf(queue(2000)), { ...served, ...changes }).map(({ law }) => law);
    expect(laws({})).toHaveLength(4);
    expect(laws({ poisson: false })).toHaveLength(2);
    expect(laws({ serial: false, instances: 2 })).toHaveLength(2);
    expect(laws({ workerSeconds: null, serial: false })).toEqual(['Little: N = λW']);
    expect(crossChecks(recordsOf(queue(99)), served)).toEqual([]);
  });
});
