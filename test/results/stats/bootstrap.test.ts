import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meanInterval, percentileInterval, percentileIntervalOf } from '../../../results/stats/bootstrap.js';
import { expandedInterval, RESAMPLES } from '../../../results/stats/interval.js';
import { ascending, percentile } from '../../../results/stats/percentile.js';
import { canonicalDouble, FastRandom, Mt19937, uniformInt } from '../../../results/stats/random.js';

/** n exponential values of mean 1 from a seed. */
function exponential(n: number, seed: number): Float64Array {
  const random = new Mt19937(seed);
  return Float64Array.from({ length: n }, () => -Math.log1p(-canonicalDouble(random)));
}

/** The same interval the plain way: draw blocks, join them, sort, take the percentile. */
function plainly(values: Float64Array, p: number, seed: bigint) {
  const n = values.length;
  const blocks = Math.min(100, Math.max(10, Math.round(Math.sqrt(n))));
  const parts: number[][] = Array.from({ length: blocks }, () => []);
  for (const [i, value] of values.entries()) parts[Math.floor((i * blocks) / n)]!.push(value);
  const random = new FastRandom(seed);
  const replicates = Float64Array.from({ length: RESAMPLES }, () => {
    const joined = Array.from({ length: blocks }, () => parts[uniformInt(random, blocks)]!).flat();
    return percentile(Float64Array.from(joined).sort(), p);
  });
  return expandedInterval(replicates.sort(), blocks);
}

describe('the block-bootstrap interval of a percentile', () => {
  it('equals the plain way (join the drawn blocks, sort, look) value for value', () => {
    for (const [n, p] of [
      [20, 0.5],
      [103, 0.9],
      [400, 0.99],
    ] as const)
      expect(percentileIntervalOf(exponential(n, n), p, 5n), `n ${n}`).toEqual(plainly(exponential(n, n), p, 5n));
  });

  it('of very many values is as narrow as it should be: the median of 300,000 uniform ones, ± 0.0018', () => {
    // Independent values: standard error √(¼/300,000) = 0.00091, times 1.96.
    const random = new Mt19937(7);
    const interval = percentileIntervalOf(
      Float64Array.from({ length: 300_000 }, () => canonicalDouble(random)),
      ...([0.5, 1n] as const),
    )!;
    expect(interval.high - interval.low).toBeGreaterThan(0.0028);
    expect(interval.high - interval.low).toBeLessThan(0.0044);
  });

  it('of a constant is that constant', () => {
    expect(percentileIntervalOf(new Float64Array(500).fill(7), 0.9, 1n)).toEqual({ low: 7, high: 7, level: 0.95 });
  });

  it('is the same for the same seed and needs 20 values', () => {
    const values = exponential(5000, 1);
    expect(percentileIntervalOf(values, 0.95, 9n)).toEqual(percentileIntervalOf(values, 0.95, 9n));
    expect(percentileIntervalOf(exponential(19, 1), 0.5, 9n)).toBeUndefined();
  });

  it('covers the truth (ln 100 is the p99 of an exponential) in at least 53 of 60 samples of 3,000', () => {
    let covered = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const interval = percentileIntervalOf(exponential(3000, seed), 0.99, BigInt(seed))!;
      if (interval.low <= Math.log(100) && Math.log(100) <= interval.high) covered++;
    }
    expect(covered).toBeGreaterThanOrEqual(53);
  });

  it('is wider where neighbours are alike: each value repeated 50 times in a row', () => {
    const few = exponential(100, 3);
    const repeated = Float64Array.from({ length: 5000 }, (_, i) => few[Math.floor(i / 50)]!);
    const shuffled = exponential(5000, 3);
    const width = (values: Float64Array) => {
      const interval = percentileIntervalOf(values, 0.5, 1n)!;
      return interval.high - interval.low;
    };
    expect(width(repeated)).toBeGreaterThan(3 * width(shuffled));
  });

  it('contains the percentile itself, whatever the values', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 20 }), (list) => {
        const values = Float64Array.from(list);
        const sorted = ascending(values);
        const interval = percentileInterval(values, sorted, 0.5, 1n)!;
        expect(interval.low).toBeGreaterThanOrEqual(sorted[0]!);
        expect(interval.high).toBeLessThanOrEqual(sorted.at(-1)!);
        expect(interval.low).toBeLessThanOrEqual(interval.high);
      }),
      { seed: 3, numRuns: 30 },
    );
  });
});

describe('the interval of a mean', () => {
  it("is never narrower than Student's: of 1 … 5 it is 3 ± 2.776 · √2.5 / √5, 1.037 … 4.963", () => {
    const interval = meanInterval([1, 2, 3, 4, 5], 1n)!;
    expect(interval.low).toBeCloseTo(1.037, 3);
    expect(interval.high).toBeCloseTo(4.963, 3);
  });

  it('of one figure does not exist', () => {
    expect(meanInterval([3], 1n)).toBeUndefined();
  });
});
