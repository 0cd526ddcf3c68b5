import { beforeAll, describe, expect, test } from 'vitest';
import { type Ground, ground, samplesToNear } from '../../../optimizers/search/claims.js';
import { sizeOf } from '../../../optimizers/search/index.js';
import { responseTable, syntheticModel, TABLE_SPACE } from '../../../optimizers/search/response-tables.js';

describe('on full response tables of synthetic models', () => {
  let small: Ground;
  beforeAll(() => {
    small = ground([1, 2, 3, 4]);
  });

  test('a table has 720 configurations, is the same from the same seed, and has a best point that keeps its bounds', () => {
    expect(sizeOf(TABLE_SPACE)).toBe(720);
    expect(responseTable(syntheticModel(2))).toEqual(small.tables[1]);
    for (const optimum of small.optima) expect(optimum).toBeGreaterThan(0);
  });

  test('the transfer needs at most 30 of 720 points for 95 % of the optimum, and a shuffled prior more', async () => {
    const seeds = [1, 2, 3];
    const transferred = await samplesToNear(small, 'morphling', { seeds, budget: 30 });
    const control = await samplesToNear(small, 'morphling', { seeds, budget: 30, shuffledPriors: true });
    expect(transferred.median).toBeLessThanOrEqual(30);
    expect(control.median).toBeGreaterThan(transferred.median);
  });

  test('random search needs more points than the transfer', async () => {
    const seeds = [1, 2, 3, 4, 5];
    const plain = await samplesToNear(small, 'random', { seeds, budget: 60 });
    const transferred = await samplesToNear(small, 'morphling', { seeds: [1], budget: 30 });
    expect(plain.median).toBeGreaterThan(transferred.median);
  });
});
