import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FastRandom, uniformInt } from '../../../results/stats/random.js';
import { hodgesLehmann, mannWhitney } from '../../../results/stats/rank-sum.js';

/** Permeability of chorioamnion at term and at 12–26 weeks. Source: Hollander and Wolfe 1973, table 4.1, p. 69 f. */
const TERM = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
const EARLY = [1.15, 0.88, 0.9, 0.74, 1.21];

describe('the Mann–Whitney test', () => {
  it('has Hollander and Wolfe’s values: U 35, one-sided p 0.1272, shift 0.305', () => {
    const found = mannWhitney(TERM, EARLY);
    expect(found.u).toBe(35);
    expect(found.pValue / 2).toBeCloseTo(0.1272, 4);
    expect(hodgesLehmann(TERM, EARLY).shift).toBeCloseTo(0.305, 10);
    // The interval that R's wilcox.test(conf.int = TRUE) documents for these data.
    expect(hodgesLehmann(TERM, EARLY).interval).toMatchObject({
      low: expect.closeTo(-0.15, 10),
      high: expect.closeTo(0.76, 10),
    });
  });

  it('has the tails of Mann and Whitney’s table: U = 0 of 3 + 3 is 1/20, U = 2 of 5 + 5 is 4/252', () => {
    expect(mannWhitney([1, 2, 3], [4, 5, 6]).pValue).toBeCloseTo(2 / 20, 12);
    expect(mannWhitney([1, 2, 3, 4, 7], [5, 6, 8, 9, 10]).u).toBe(2);
    expect(mannWhitney([1, 2, 3, 4, 7], [5, 6, 8, 9, 10]).pValue).toBeCloseTo((2 * 4) / 252, 12);
  });

  it('counts ties as they are: of 1 1 against 1 2 two of six choices reach each tail or more', () => {
    // Midranks 2 2 2 4 of 4: the choice {2,2} in 3 of 6 ways, {2,4} in 3 of 6.
    expect(mannWhitney([1, 1], [1, 2])).toEqual({ u: 1, pValue: 1, exact: true });
    expect(mannWhitney([3, 3, 3], [3, 3, 3]).pValue).toBe(1);
  });

  it('is nearly the same counted and by the normal curve, where both can be had', () => {
    const random = new FastRandom(5);
    const draw = (n: number, shift: number) => Array.from({ length: n }, () => uniformInt(random, 40) + shift);
    const [x, y] = [draw(30, 6), draw(30, 0)];
    const counted = mannWhitney(x, y);
    const normal = mannWhitney([...x, 1e9], [...y, -1e9]);
    expect([counted.exact, normal.exact]).toEqual([true, false]);
    expect(Math.abs(Math.log(counted.pValue / normal.pValue))).toBeLessThan(0.6);
  });

  it('does not care for order or scale, and mirrors when the samples change places', () => {
    const sample = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sample, sample, (x, y) => {
        const found = mannWhitney(x, y);
        const mirrored = mannWhitney([...y].reverse(), x);
        expect(mirrored.u).toBeCloseTo(x.length * y.length - found.u, 9);
        expect(mirrored.pValue).toBeCloseTo(found.pValue, 9);
        const grown = (values: readonly number[]) => values.map((value) => 3 * value + 7);
        expect(mannWhitney(grown(x), grown(y)).pValue).toBeCloseTo(found.pValue, 12);
      }),
    );
  });

  it('calls equal samples different in at most 5 % of 1,000 tries', () => {
    const random = new FastRandom(11);
    const draw = (n: number) => Array.from({ length: n }, () => random.next32());
    let wrong = 0;
    for (let i = 0; i < 1000; i++) if (mannWhitney(draw(5), draw(15)).pValue <= 0.05) wrong++;
    expect(wrong).toBeLessThanOrEqual(50);
    expect(wrong).toBeGreaterThan(10);
  });
});

describe('the Hodges–Lehmann shift', () => {
  it('follows the sample by as much as it is moved, its interval too', () => {
    const sample = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 4, maxLength: 10 });
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: -500, max: 500 }), (x, y, by) => {
        const [before, after] = [
          hodgesLehmann(x, y),
          hodgesLehmann(
            x.map((value) => value + by),
            y,
          ),
        ];
        expect(after.shift).toBeCloseTo(before.shift + by, 9);
        expect(after.interval!.low).toBeCloseTo(before.interval!.low + by, 9);
        expect(before.interval!.low).toBeLessThanOrEqual(before.shift);
        expect(before.interval!.high).toBeGreaterThanOrEqual(before.shift);
      }),
    );
  });

  it('excludes 0 exactly where the test has p ≤ 0.05 (no ties)', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { minLength: 10, maxLength: 24 }), (values) => {
        const [x, y] = [values.slice(0, 5), values.slice(5)];
        const { low, high } = hodgesLehmann(x, y).interval!;
        expect(low > 0 || high < 0).toBe(mannWhitney(x, y).pValue <= 0.05);
      }),
    );
  });

  it('of 3 against 3 has no 95 % interval', () => {
    expect(hodgesLehmann([1, 2, 3], [4, 5, 6]).interval).toBeNull();
  });
});
