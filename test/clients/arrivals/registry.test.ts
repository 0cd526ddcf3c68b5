import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Float64, Table, TimestampMicrosecond, tableToIPC, vectorFromArray } from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { arrivals, createArrival, exactArrivals } from '../../../clients/arrivals/index.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-arrivals-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a process can't do without, and how much wider than Poisson's its mean of 20,000 gaps at 1,000/s spreads. */
const NEEDS: Readonly<Record<string, { options?: object; spread?: number }>> = {
  gamma: { spread: 2 },
  // Dispersion 1 + 1000 · 0.1 · (4/6)² = 45.4.
  mmpp: { spread: Math.sqrt(45.4) },
  // Rounds of 2 s, ten of them.
  step: { options: { levels: [1, 3], every: '1s' } },
  trace: { options: { path: file('three.csv', '0\n1\n5\n') } },
};

describe.each(arrivals.map((arrival) => arrival.name))('%s', (name) => {
  const { options = {}, spread = 1 } = NEEDS[name] ?? {};

  test('20,000 gaps at 1,000/s are whole, not negative, and their mean is 1 ms within four standard errors', () => {
    const next = createArrival(name, options, 1000, 1n);
    const gaps = Array.from({ length: 20_000 }, next);
    expect(gaps.every((gap) => Number.isInteger(gap) && gap >= 0)).toBe(true);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    expect(Math.abs(mean - 1e6)).toBeLessThan((4 * spread * 1e6) / Math.sqrt(gaps.length));
  });

  test('the same seed repeats it', () => {
    const gaps = (seed: bigint) => Array.from({ length: 100 }, createArrival(name, options, 50, seed));
    expect(gaps(2n ** 63n)).toEqual(gaps(2n ** 63n));
  });
});

test('lengths of time that would only be stepped over are refused: a step every 1.5 ns never came to its first request', () => {
  expect(() => createArrival('step', { every: '1ns' }, 1, 1n)).toThrow(/every: .*must be at least 1us/);
  expect(() => createArrival('mmpp', { sojourn: 0.5 }, 1, 1n)).toThrow(/sojourn: 0\.5 must be at least 1us/);
});

test('constant arrivals at 3/s do not drift: the 3,000,000th is due at 1,000,000 s', () => {
  const next = createArrival('constant', {}, 3, 0n);
  let due = 0;
  for (let i = 0; i < 3_000_000; i++) due += next();
  expect(due).toBe(1e15);
});

describe('independent gaps', () => {
  test('of a Poisson process vary as much as their mean', () => {
    expect(variation(createArrival('poisson', {}, 1000, 9n), 50_000)).toBeCloseTo(1, 1);
  });

  test.each([0.2, 0.5, 1, 2, 3])('of gamma vary %d times as much as their mean', (cv) => {
    expect(variation(createArrival('gamma', { cv }, 1000, 5n), 200_000) / cv).toBeCloseTo(1, 1);
  });
});

describe('mmpp', () => {
  test('counts of windows much longer than a sojourn have the dispersion 1 + rate · s · ((b − 1)/(b + 1))²', () => {
    // 1000/s, 10 ms, burst 3: 1 + 1000 · 0.01 · (2/4)² = 3.5; windows of 1 s, 2,000 of them.
    const counts = countsOf(createArrival('mmpp', { burst: 3, sojourn: '10ms' }, 1000, 3n), 1e9, 2000);
    expect(dispersion(counts)).toBeGreaterThan(3.1);
    expect(dispersion(counts)).toBeLessThan(3.9);
  });

  test('with a burst of 1 is Poisson', () => {
    const counts = countsOf(createArrival('mmpp', { burst: 1 }, 1000, 3n), 100e6, 5000);
    expect(dispersion(counts)).toBeCloseTo(1, 1);
  });
});

describe('rates that vary', () => {
  const even = (name: string, options: object, rate: number, windowNs: number, windows: number) =>
    countsOf(createArrival(name, { ...options, spacing: 'even' }, rate, 0n), windowNs, windows);

  test('step: levels 1, 0, 3 at a mean of 100/s are 75, 0 and 225 a second, again and again', () => {
    expect(even('step', { levels: [1, 0, 3], every: '1s' }, 100, 1e9, 6)).toEqual([75, 0, 225, 75, 0, 225]);
  });

  test('spike: nine seconds of 100 and one of 1,000 have the mean 190', () => {
    const counts = even('spike', { height: 10, every: '10s', at: '4s', length: '1s' }, 190, 1e9, 11);
    expect(counts).toEqual([100, 100, 100, 100, 1000, 100, 100, 100, 100, 100, 100]);
  });

  test('ramp from 100/s to 300/s in 10 s: 110 requests in the first second, 290 in the last, 200 a second between', () => {
    // ∫ 100 + 20 t over a second: 110, 130, … 290; then it begins again.
    const counts = even('ramp', { ratio: 3, over: '10s' }, 200, 1e9, 11);
    expect(counts).toEqual([110, 130, 150, 170, 190, 210, 230, 250, 270, 290, 110]);
  });

  test('ramp of Poisson arrivals doubles its rate where it should', () => {
    const counts = countsOf(createArrival('ramp', { ratio: 2, over: '100s' }, 1500, 4n), 1e9, 100);
    const [first, last] = [sum(counts.slice(0, 5)) / 5, sum(counts.slice(-5)) / 5];
    // 1,025/s and 1,975/s in the mean of the first and the last five seconds.
    expect(first).toBeGreaterThan(970);
    expect(first).toBeLessThan(1080);
    expect(last).toBeGreaterThan(1900);
    expect(last).toBeLessThan(2050);
  });

  test('sine: the rising half of the period has rate · (1 + 2a/π), the other half the rest', () => {
    // 1,000/s, a = 1, period 2 s: 1000 · (1 ± 2/π) = 1636.6 and 363.4.
    const [up, down] = even('sine', { amplitude: 1, period: '2s' }, 1000, 1e9, 2);
    expect(Math.abs(up! - 1636.6)).toBeLessThan(1.5);
    expect(up! + down!).toBe(2000);
  });

  test('whatever the levels, a whole round has the mean rate: n requests in n/rate', () => {
    const level = fc.integer({ min: 0, max: 9 });
    const levels = fc.array(level, { minLength: 1, maxLength: 6 }).filter((each) => each.some((one) => one > 0));
    fc.assert(
      fc.property(levels, fc.integer({ min: 1, max: 500 }), (chosen, rate) => {
        const round = chosen.length * 1e9;
        const total = sum(even('step', { levels: chosen, every: '1s' }, rate, round, 3));
        expect(total).toBe(3 * chosen.length * rate);
      }),
      { seed: 1, numRuns: 50 },
    );
  });
});

describe('trace', () => {
  const due = (options: object, rate: number, count: number): number[] => {
    const next = createArrival('trace', options, rate, 0n);
    let now = 0;
    return Array.from({ length: count }, () => {
      now += next();
      return now / 1e6;
    });
  };

  test('is stretched to the rate: 0, 1, 5 s at 1/s become 0, 0.4, 2 s, and start again one mean gap later', () => {
    expect(due({ path: file('a.csv', '0\n1\n5\n') }, 1, 5)).toEqual([400, 2000, 3000, 3400, 5000]);
  });

  test('with a scale is played at that, whatever the rate', () => {
    expect(due({ path: file('b.csv', '10\n11\n15\n'), scale: 2 }, 1, 2)).toEqual([2000, 10_000]);
  });

  test('takes a column by its name, dates with all their digits, lines in any order', () => {
    const text = 'tokens,TIMESTAMP\r\n5,2023-11-16 18:17:04.9799600\r\n7,2023-11-16 18:17:03.9799500\r\n';
    expect(due({ path: file('c.csv', text), column: 'TIMESTAMP', scale: 1 }, 1, 1)).toEqual([1000.01]);
  });

  test('takes JSON lines, numbers or objects, in the unit that it is told', () => {
    const text = '{"at": 3}\n{"at": 5}\n\n{"at": 9}\n';
    expect(due({ path: file('d.jsonl', text), column: 'at', unit: 'ms', scale: 1 }, 1, 2)).toEqual([2, 6]);
    expect(due({ path: file('e.jsonl', '3\n5\n'), unit: 'ms', scale: 1 }, 1, 1)).toEqual([2]);
  });

  test('takes a column of an Arrow file: timestamps with their own unit, numbers in the one that it is told', () => {
    const when = vectorFromArray(
      [new Date(1_700_000_000_250), new Date(1_700_000_000_000)],
      new TimestampMicrosecond(),
    );
    const path = join(folder, 'times.arrow');
    writeFileSync(path, tableToIPC(new Table({ when, ms: vectorFromArray([3, 5], new Float64()) }), 'file'));
    expect(due({ path, scale: 1 }, 1, 1)).toEqual([250]);
    expect(due({ path, column: 'ms', unit: 'ms', scale: 2 }, 1, 1)).toEqual([4]);
    expect(() => createArrival('trace', { path, column: 'then' }, 1, 0n)).toThrow(
      /times\.arrow: there is no column "then"\. Allowed: when, ms/,
    );
    expect(() => createArrival('trace', { path: file('no.arrow', 'x') }, 1, 0n)).toThrow(/no\.arrow: can't be read/);
  });

  test('names file and line of what is no time, the columns there are, and a file that is missing', () => {
    const start = (options: object) => () => createArrival('trace', options, 1, 0n);
    expect(start({ path: file('f.csv', 'time\n1\nsoon\n') })).toThrow(/f\.csv:3: "soon" is no time/);
    expect(start({ path: file('h.csv', 'time\n1\n1e400\n') })).toThrow(/h\.csv:3: "1e400" is no time/);
    expect(start({ path: file('g.csv', 'a,b\n1,2\n'), column: 'c' })).toThrow(/g\.csv:1: .*"c"\. Allowed: a, b/);
    expect(start({ path: file('h.csv', '1\n') })).toThrow(/h\.csv: holds 1 instants/);
    expect(start({ path: join(folder, 'none.csv') })).toThrow(/none\.csv: can't be read/);
  });
});

describe('exactly so many over exactly so long', () => {
  const SHAPES: readonly [name: string, options: object][] = [
    ['constant', {}],
    ['poisson', {}],
    ['gamma', { cv: 0.3 }],
    ['gamma', { cv: 4 }],
    ['mmpp', { burst: 8 }],
    ['ramp', { over: '5s' }],
    ['step', { levels: [1, 0, 3], every: '1s' }],
    ['spike', { every: '5s', at: '2s' }],
    ['sine', { amplitude: 1, period: '2s' }],
  ];
  const bursty = (cv: number, seed: bigint) => exactArrivals('gamma', { cv }, 1000, 30e9, seed)!;

  test.each(SHAPES)('%s %j offers 1,000 requests at 100/s over 10 s', (name, options) => {
    for (const seed of [1n, 2n, 99n]) {
      // Whole rounds of ramp, spike and sine; of step three of 300 and a first level of 75.
      const due = exactArrivals(name, options, 100, 10e9, seed)!;
      expect(due.length).toBe(name === 'step' ? 975 : 1000);
      expect(due[0]).toBe(0);
      expect(due.every((at, k) => Number.isInteger(at) && (k === 0 || at >= due[k - 1]!))).toBe(true);
      expect(due.at(-1)!).toBeLessThanOrEqual(10e9);
    }
  });

  test('constant at 200/s for 400 ms is 0, 5 … 395 ms', () => {
    expect([...exactArrivals('constant', {}, 200, 400e6, 1n)!]).toEqual(Array.from({ length: 80 }, (_, k) => k * 5e6));
  });

  test('poisson keeps the order and the proportions of its gaps: LoadGen’s draws, times one factor', () => {
    const drawn = createArrival('poisson', {}, 1000, 7n);
    const due = exactArrivals('poisson', {}, 1000, 1e9, 7n)!;
    let total = 0;
    const raw = Array.from({ length: 1000 }, () => {
      const at = total;
      total += drawn();
      return at;
    });
    for (const [k, at] of raw.entries()) expect(Math.abs(due[k]! - (at * 1e9) / total)).toBeLessThanOrEqual(0.5);
  });

  test('30,000 Poisson arrivals have the dispersion 1 ± 0.1, as many of gamma with CV 3 nine times that', () => {
    const [poisson, gamma] = [exactArrivals('poisson', {}, 1000, 30e9, 3n)!, bursty(3, 3n)];
    expect([poisson.length, gamma.length]).toEqual([30_000, 30_000]);
    expect(Math.abs(dispersion(binned(poisson, 10e6, 3000)) - 1)).toBeLessThan(0.1);
    // In windows of many gaps the dispersion of a renewal process is CV²: 9, of 300 windows of 100 ms within a fifth.
    expect(dispersion(binned(gamma, 100e6, 300)) / 9).toBeGreaterThan(0.8);
    expect(dispersion(binned(gamma, 100e6, 300)) / 9).toBeLessThan(1.2);
  });

  test.each([0.3, 1, 2, 4])('gaps of gamma keep the CV %d that was asked for', (cv) => {
    const due = exactArrivals('gamma', { cv }, 1000, 200e9, 5n)!;
    const gaps = Array.from({ length: due.length - 1 }, (_, k) => due[k + 1]! - due[k]!);
    const mean = sum(gaps) / gaps.length;
    expect(Math.sqrt(sum(gaps.map((gap) => (gap - mean) ** 2)) / gaps.length) / mean / cv).toBeCloseTo(1, 1);
  });

  test('a spike stays where it is: the factor moves requests along the profile, not the profile', () => {
    const due = exactArrivals('spike', { height: 10, every: '10s', at: '4s', length: '1s' }, 190, 10e9, 11n)!;
    const counts = binned(due, 1e9, 10);
    expect(sum(counts)).toBe(1900);
    // 1,000 in the second of the spike, 100 in every other; four standard deviations.
    expect(Math.abs(counts[4]! - 1000)).toBeLessThan(130);
    for (const second of [0, 1, 2, 3, 5, 6, 7, 8, 9]) expect(Math.abs(counts[second]! - 100)).toBeLessThan(40);
  });

  test('a recording is played as it is', () => {
    expect(exactArrivals('trace', { path: file('as-is.csv', '0\n1\n') }, 1, 1e9, 0n)).toBeUndefined();
  });
});

test('an unknown name or option is refused with what is allowed', () => {
  expect(() => createArrival('poison', {}, 1, 0n)).toThrow(
    'arrivals: there is no arrival process "poison". Allowed: constant, poisson, gamma,',
  );
  expect(() => createArrival('poisson', { rate: 3 }, 1, 0n)).toThrow('arrivals.rate: unknown key "rate"');
  expect(() => createArrival('step', { levels: [0, 0] }, 1, 0n)).toThrow('must have a level above 0');
  expect(() => createArrival('spike', { at: '10s' }, 1, 0n)).toThrow('at + length must be less than every');
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Standard deviation over mean. */
function variation(next: () => number, count: number): number {
  const gaps = Array.from({ length: count }, next);
  const mean = sum(gaps) / count;
  return Math.sqrt(sum(gaps.map((gap) => (gap - mean) ** 2)) / count) / mean;
}

/** Requests of each window, the one at 0 left out: window k is (k·w, (k+1)·w]. */
function countsOf(next: () => number, windowNs: number, windows: number): number[] {
  const counts = new Array<number>(windows).fill(0);
  for (let due = next(); due <= windowNs * windows; due += next())
    counts[Math.max(0, Math.ceil(due / windowNs) - 1)]!++;
  return counts;
}

/** Requests of each window [k·w, (k+1)·w). */
function binned(due: Float64Array, windowNs: number, windows: number): number[] {
  const counts = new Array<number>(windows).fill(0);
  for (const at of due) counts[Math.min(windows - 1, Math.floor(at / windowNs))]!++;
  return counts;
}

function dispersion(counts: readonly number[]): number {
  const mean = sum(counts) / counts.length;
  return sum(counts.map((count) => (count - mean) ** 2)) / (counts.length - 1) / mean;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
