import { describe, expect, it } from 'vitest';
import { canonicalDouble, FastRandom } from '../../../results/stats/random.js';
import { shiftFunction } from '../../../results/stats/shift-function.js';

const GRID = [0.1, 0.5, 0.9, 0.99];
/** Trials whose quantiles are 1, 2, 5, 9 times a mood of the trial and a wobble of each. */
function trials(n: number, random: FastRandom, tail = 1): number[][] {
  return Array.from({ length: n }, () => {
    const mood = 1 + 0.05 * canonicalDouble(random);
    return [1, 2, 5, 9 * tail].map((q) => q * mood * (1 + 0.02 * canonicalDouble(random)));
  });
}

describe('the quantile shift function', () => {
  it('finds a tail that grew by half and a body that stayed', () => {
    const random = new FastRandom(1);
    const found = shiftFunction(trials(5, random, 1.5), trials(15, random), GRID, 3n)!;
    expect(found[3]!.ratio).toBeGreaterThan(1.4);
    expect(found.map(({ band }) => band.low > 1 || band.high < 1)).toEqual([false, false, false, true]);
  });

  it('of equal systems excludes 1 anywhere on the grid in at most 8 of 100', () => {
    const random = new FastRandom(2);
    let wrong = 0;
    for (let i = 0; i < 100; i++) {
      const found = shiftFunction(trials(5, random), trials(15, random), GRID, BigInt(i))!;
      if (found.some(({ band }) => band.low > 1 || band.high < 1)) wrong++;
    }
    expect(wrong).toBeLessThanOrEqual(8);
  });

  it('needs three trials a side', () => {
    const random = new FastRandom(3);
    expect(shiftFunction(trials(2, random), trials(9, random), GRID, 1n)).toBeNull();
  });
});
