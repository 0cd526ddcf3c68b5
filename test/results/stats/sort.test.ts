import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FastRandom } from '../../../results/stats/random.js';
import { sortAscending } from '../../../results/stats/sort.js';

/** Enough values for the sort by bits: the given ones, over and over, each time a little different. */
function many(values: readonly number[], factor: number): Float64Array {
  return Float64Array.from({ length: 50_001 }, (_, i) => values[i % values.length]! * (1 + factor * Math.floor(i / 7)));
}

/** Tells 0 from −0 too, and is quicker than comparing 50,000 numbers one by one. */
function sameBits(a: Float64Array, b: Float64Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));
}

describe('the sort', () => {
  it('of large arrays gives what the built-in sort gives: negative, fractional, tiny, infinite, −0', () => {
    const special = [0, -0, 1, -1, 1.5, 1e-308, -1e308, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53];
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true }), { maxLength: 50 }),
        fc.constantFrom(0, 1e-9),
        (values, factor) => {
          const input = many([...special, ...values], factor).filter((value) => !Number.isNaN(value));
          expect(sameBits(sortAscending(input.slice()), input.slice().sort())).toBe(true);
        },
      ),
      { seed: 5, numRuns: 10 },
    );
  });

  it('of whole nanoseconds gives what the built-in sort gives', () => {
    const random = new FastRandom(1);
    const input = Float64Array.from({ length: 60_000 }, () => random.next32() % 10_000_000);
    expect(sameBits(sortAscending(input.slice()), input.slice().sort())).toBe(true);
  });

  it('of equal values and of few values is no special case', () => {
    expect(sortAscending(new Float64Array(60_000).fill(-7)).every((value) => value === -7)).toBe(true);
    expect([...sortAscending(Float64Array.of(3, 1, 2))]).toEqual([1, 2, 3]);
  });
});
