import { describe, expect, it } from 'vitest';
import { noiseFloor, pairedRatio } from '../../../results/stats/paired.js';
import { canonicalDouble, Mt19937 } from '../../../results/stats/random.js';
import { wilson } from '../../../results/stats/wilson.js';

describe('the ratio of paired runs', () => {
  it('cancels what both runs of a pair suffered: twice as much in fast and slow repeats alike is 2, without width', () => {
    const found = pairedRatio([2, 20, 200, 4, 6], [1, 10, 100, 2, 3], 1n);
    expect(found.ratio).toBeCloseTo(2, 12);
    expect(found.interval!.low).toBeCloseTo(2, 12);
    expect(found.interval!.high).toBeCloseTo(2, 12);
  });

  it('is a geometric mean: 4 and 1/4 make 1', () => {
    expect(pairedRatio([4, 1], [1, 4], 1n).ratio).toBeCloseTo(1, 12);
  });

  it('has no interval for one pair and no ratio for none', () => {
    expect(pairedRatio([3], [2], 1n)).toEqual({ ratio: 1.5, interval: null, pairs: 1 });
    expect(pairedRatio([0], [0], 1n)).toEqual({ ratio: null, interval: null, pairs: 0 });
  });

  it('finds equal systems different in at most 5 % of 400 comparisons of five repeats', () => {
    const random = new Mt19937(1);
    const noisy = () => Array.from({ length: 5 }, () => 100 * (1 + 0.1 * canonicalDouble(random)));
    let wrong = 0;
    for (let i = 0; i < 400; i++) {
      const { interval } = pairedRatio(noisy(), noisy(), BigInt(i));
      if (interval!.low > 1 || interval!.high < 1) wrong++;
    }
    expect(wrong).toBeLessThanOrEqual(20);
  });
});

describe('the noise floor', () => {
  it('is the largest ratio of a system against itself, either way up', () => {
    expect(noiseFloor([100, 90], [80, 108])).toBeCloseTo(1.25, 12);
    expect(noiseFloor([], [])).toBeNull();
  });
});

describe("Wilson's interval", () => {
  it('has its textbook value at 0 of 10: 0 … 0.2775', () => {
    expect(wilson(0, 10).low).toBe(0);
    expect(wilson(0, 10).high).toBeCloseTo(0.2775, 4);
  });

  it('of 8,800 right answers of 10,000 is 0.8735 … 0.8862', () => {
    expect(wilson(8800, 10_000).low).toBeCloseTo(0.8735, 4);
    expect(wilson(8800, 10_000).high).toBeCloseTo(0.8862, 4);
  });

  it('of nothing says nothing', () => {
    expect(wilson(0, 0)).toMatchObject({ low: 0, high: 1 });
  });
});
