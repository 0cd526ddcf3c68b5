import { describe, expect, test } from 'vitest';
import {
  canonicalDouble,
  FastRandom,
  Mt19937,
  permutation,
  type RandomSource,
  uniformInt,
} from '../../../results/stats/random.js';

const SCHEDULE_SEED = 16159082839903944936n;
const SAMPLE_SEED = 2747215439041700203n;
const take = (count: number, draw: () => number) => Array.from({ length: count }, draw);
const from = (...draws: number[]): RandomSource => ({ next32: () => draws.shift()! });

describe('LoadGen vectors (GCC libstdc++)', () => {
  test('mt19937 seeded with the low 32 bits of the schedule seed draws 3245365415 3615339558 1380029910', () => {
    const random = new Mt19937(SCHEDULE_SEED);
    expect(take(3, () => random.next32())).toEqual([3245365415, 3615339558, 1380029910]);
    expect(new Mt19937(2023080168).next32()).toBe(3245365415);
  });

  test('sample indices in [0,1024) are 818 976 516 292 672 710 120 666', () => {
    const random = new Mt19937(SAMPLE_SEED);
    expect(take(8, () => uniformInt(random, 1024))).toEqual([818, 976, 516, 292, 672, 710, 120, 666]);
  });

  test('ten, 24,576 and 70,000 samples are shuffled as std::shuffle does', () => {
    const first = (n: number) => [...permutation(new Mt19937(SAMPLE_SEED), n).slice(0, 10)];
    expect(first(10)).toEqual([7, 1, 6, 5, 2, 8, 4, 0, 3, 9]);
    expect(first(24576).slice(0, 8)).toEqual([23742, 11480, 190, 6597, 16770, 564, 18248, 23035]);
    expect(first(70000).slice(0, 8)).toEqual([12170, 45437, 61944, 46607, 50002, 9843, 30452, 50314]);
  });

  test('the 10,000th draw of the default seed 5489 is 4123659995, as the C++ standard says', () => {
    const random = new Mt19937(5489);
    expect(take(10_000, () => random.next32()).at(-1)).toBe(4123659995);
  });
});

describe('distributions', () => {
  test('a canonical double takes the low word first and stays below 1', () => {
    expect(canonicalDouble(from(0, 2 ** 31))).toBe(0.5);
    expect(canonicalDouble(from(2 ** 31, 0))).toBe(2 ** -33);
    expect(canonicalDouble(from(2 ** 32 - 1, 2 ** 32 - 1))).toBe(1 - 2 ** -53);
  });

  test('an integer below 3 rejects the one draw that would bias it: 2^32 mod 3 = 1', () => {
    expect(uniformInt(from(0, 2 ** 31), 3)).toBe(1);
    expect(uniformInt(from(1), 3)).toBe(0);
  });

  test('large ranges are exact although the product exceeds 2^53', () => {
    for (const [draw, n] of [
      [4294967295, 4294967295],
      [3000000019, 4200000037],
      [2147483649, 16777259],
    ] as const)
      expect(uniformInt(from(draw), n)).toBe(Number((BigInt(draw) * BigInt(n)) >> 32n));
  });

  test('an empty and a single-element list survive a shuffle', () => {
    expect([...permutation(new Mt19937(1), 0)]).toEqual([]);
    expect([...permutation(new Mt19937(1), 1)]).toEqual([0]);
  });
});

describe('the fast generator', () => {
  test('the same 64-bit seed gives the same numbers, another upper half gives others', () => {
    const draws = (seed: bigint) => take(4, new FastRandom(seed).next32.bind(new FastRandom(seed)));
    expect(draws(7n)).toEqual(draws(7n));
    expect(draws(7n)).not.toEqual(draws(7n + 2n ** 40n));
  });

  test('ten cells get a tenth of 100,000 draws each, within five standard deviations', () => {
    const random = new FastRandom(42n);
    const cells = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) cells[uniformInt(random, 10)]!++;
    for (const count of cells) expect(Math.abs(count - 10_000)).toBeLessThan(5 * Math.sqrt(9_000));
  });
});
