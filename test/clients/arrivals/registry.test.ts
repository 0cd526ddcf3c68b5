import { describe, expect, test } from 'vitest';
import { arrivals, createArrival } from '../../../clients/arrivals/index.js';

describe.each(arrivals.map((arrival) => arrival.name))('%s', (name) => {
  test('20,000 gaps at 1,000/s are whole, not negative, and their mean is 1 ms within four standard errors', () => {
    const next = createArrival(name, {}, 1000, 1n);
    const gaps = Array.from({ length: 20_000 }, next);
    expect(gaps.every((gap) => Number.isInteger(gap) && gap >= 0)).toBe(true);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    expect(Math.abs(mean - 1e6)).toBeLessThan((4 * 1e6) / Math.sqrt(gaps.length));
  });

  test('the same seed repeats it', () => {
    const gaps = (seed: bigint) => Array.from({ length: 100 }, createArrival(name, {}, 50, seed));
    expect(gaps(2n ** 63n)).toEqual(gaps(2n ** 63n));
  });
});

test('constant arrivals at 3/s do not drift: the 3,000,000th is due at 1,000,000 s', () => {
  const next = createArrival('constant', {}, 3, 0n);
  let due = 0;
  for (let i = 0; i < 3_000_000; i++) due += next();
  expect(due).toBe(1e15);
});

test('exponential gaps vary as much as their mean', () => {
  const gaps = Array.from({ length: 50_000 }, createArrival('poisson', {}, 1000, 9n));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
});

test('an unknown name or option is refused with what is allowed', () => {
  expect(() => createArrival('poison', {}, 1, 0n)).toThrow(
    'arrivals: there is no arrival process "poison". Allowed: constant, poisson.',
  );
  expect(() => createArrival('poisson', { rate: 3 }, 1, 0n)).toThrow(/arrivals/);
});
