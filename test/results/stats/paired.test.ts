import { describe, expect, it } from 'vitest';
import { blockRatioInterval, noiseFloor, pairedRatio, repeatNoise } from '../../../results/stats/paired.js';
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
    expect(pairedRatio([3], [2], 1n)).toEqual({ ratio: 1.5, interval: null, pValue: null, pairs: 1 });
    expect(pairedRatio([0], [0], 1n)).toEqual({ ratio: null, interval: null, pValue: null, pairs: 0 });
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

describe('the p-value of paired runs', () => {
  it('is Student’s: ln ratios 1, 2, 3 have t = 2 √3 = 3.464, p = 0.0742 on two degrees', () => {
    const pair = [1, 2, 3].map(Math.exp);
    expect(pairedRatio(pair, [1, 1, 1], 1n).pValue).toBeCloseTo(0.07418, 5);
  });

  it('is 1 for equal runs and 0 for ones that differ without any spread', () => {
    expect(pairedRatio([5, 5, 5], [5, 5, 5], 1n).pValue).toBe(1);
    expect(pairedRatio([8, 8, 8], [4, 4, 4], 1n).pValue).toBe(0);
  });
});

describe('the block-bootstrap interval of a ratio within trials', () => {
  const trial = (seed: number, scale: number) => {
    const random = new Mt19937(seed);
    return Float64Array.from({ length: 2000 }, () => -Math.log1p(-canonicalDouble(random)) * scale);
  };

  it('of a trial against twice itself is exactly 2: the same blocks are drawn from both', () => {
    const found = blockRatioInterval([[trial(1, 2), trial(1, 1)]], 0.99, 7n)!;
    expect([found.ratio, found.interval.low, found.interval.high]).toEqual([2, 2, 2].map((x) => expect.closeTo(x, 9)));
  });

  it('holds 1 for two trials of one system, in at least 27 of 30', () => {
    let held = 0;
    for (let i = 0; i < 30; i++) {
      const { low, high } = blockRatioInterval([[trial(2 * i, 1), trial(2 * i + 1, 1)]], 0.9, BigInt(i))!.interval;
      if (low <= 1 && high >= 1) held++;
    }
    expect(held).toBeGreaterThanOrEqual(27);
  });

  it('leaves out requests that one of the two did not answer, and needs 20 of them', () => {
    const [a, b] = [trial(1, 2), trial(1, 1)];
    a[5] = Number.NaN;
    b[900] = Number.NaN;
    expect(blockRatioInterval([[a, b]], 0.5, 1n)!.ratio).toBeCloseTo(2, 9);
    expect(blockRatioInterval([[a.subarray(0, 19), b]], 0.5, 1n)).toBeNull();
  });
});

describe('the noise of repeats', () => {
  it('sets neighbouring pairs against each other: ratios 1.2, 1, 1.2, 1 are 20 % from themselves', () => {
    expect(repeatNoise([12, 10, 12, 10], [10, 10, 10, 10])).toBeCloseTo(1.2, 12);
  });

  it('cancels a drift that hits both systems, and needs four repeats', () => {
    expect(repeatNoise([1, 2, 4, 8], [1.1, 2.2, 4.4, 8.8])).toBeCloseTo(1, 12);
    expect(repeatNoise([1, 2, 4], [1, 2, 4])).toBeNull();
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
