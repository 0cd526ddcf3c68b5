import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { arrivals, createArrival } from '../../../clients/arrivals/index.js';

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

  test('names file and line of what is no time, the columns there are, and a file that is missing', () => {
    const start = (options: object) => () => createArrival('trace', options, 1, 0n);
    expect(start({ path: file('f.csv', 'time\n1\nsoon\n') })).toThrow(/f\.csv:3: "soon" is no time/);
    expect(start({ path: file('g.csv', 'a,b\n1,2\n'), column: 'c' })).toThrow(/g\.csv:1: .*"c"\. Allowed: a, b/);
    expect(start({ path: file('h.csv', '1\n') })).toThrow(/h\.csv: holds 1 instants/);
    expect(start({ path: join(folder, 'none.csv') })).toThrow(/none\.csv: can't be read/);
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

function dispersion(counts: readonly number[]): number {
  const mean = sum(counts) / counts.length;
  return sum(counts.map((count) => (count - mean) ** 2)) / (counts.length - 1) / mean;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
