import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascending, countAbove, distribution, percentile, quantile } from '../../../results/stats/percentile.js';

const oneTo = (n: number) => Float64Array.from({ length: n }, (_, i) => i + 1);

describe('percentiles', () => {
  it('are sorted[⌊n·p⌋]: of 1 … 1000 the p50 is 501, the p90 901, the p99 991', () => {
    expect([0.5, 0.9, 0.99].map((p) => percentile(oneTo(1000), p))).toEqual([501, 901, 991]);
  });

  it('take whole ranks exactly where the product has a rounding error: p = 0.07 of 100 is the 8th', () => {
    expect(percentile(oneTo(100), 0.07)).toBe(8);
    expect(percentile(oneTo(1000), 0.57)).toBe(571);
  });

  it('of one value are that value, of none NaN', () => {
    expect(percentile(Float64Array.of(7), 0.999)).toBe(7);
    expect(percentile(new Float64Array(), 0.5)).toBeNaN();
  });

  it('below their floor say how many they need: p99 661 of 662', () => {
    expect(quantile(oneTo(661), 0.99)).toEqual({ value: null, reason: 'n too small (needs 662)' });
    expect(quantile(oneTo(662), 0.99)).toEqual({ value: 656 });
    expect(quantile(oneTo(1), 0.999)).toEqual({ value: null, reason: 'n too small (needs 6,636)' });
  });

  it('lie between minimum and maximum and do not fall as p rises', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1 }), (values) => {
        const sorted = ascending(Float64Array.from(values));
        const several = [0, 0.1, 0.5, 0.9, 1].map((p) => percentile(sorted, p));
        expect(several[0]).toBe(sorted[0]);
        expect(several.at(-1)).toBe(sorted.at(-1));
        for (let i = 1; i < several.length; i++) expect(several[i]! >= several[i - 1]!).toBe(true);
      }),
      { seed: 2 },
    );
  });
});

describe('a distribution', () => {
  it('of 1 … 100 has mean 50.5 and a p90 of 91, but no p97 (needs 219)', () => {
    const found = distribution(oneTo(100));
    expect(found).toMatchObject({ count: 100, min: 1, max: 100, mean: 50.5, p90: { value: 91 } });
    expect(found.p97).toEqual({ value: null, reason: 'n too small (needs 219)' });
  });

  it('of nothing is empty, not zero', () => {
    expect(distribution(new Float64Array())).toMatchObject({ count: 0, min: null, max: null, mean: null });
  });

  it('ignores what did not happen (NaN)', () => {
    expect([...ascending(Float64Array.of(3, Number.NaN, 1, 2))]).toEqual([1, 2, 3]);
  });
});

describe('countAbove', () => {
  it('counts what is greater, not what is equal', () => {
    expect(countAbove(Float64Array.of(1, 2, 2, 3, 9), 2)).toBe(2);
    expect(countAbove(oneTo(10), 0)).toBe(10);
    expect(countAbove(oneTo(10), 10)).toBe(0);
  });
});
