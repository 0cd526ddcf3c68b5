import { expect, test } from 'vitest';
import { chiSquareTail } from '../../../results/stats/index.js';

test('the tail at the tables’ critical values is their level', () => {
  // Abramowitz and Stegun, table 26.8.
  for (const [x, freedom, p] of [
    [3.84146, 1, 0.05],
    [10.8276, 1, 0.001],
    [5.99147, 2, 0.05],
    [11.3449, 3, 0.01],
    [9.48773, 4, 0.05],
    [29.5883, 10, 0.001],
  ] as const)
    expect(chiSquareTail(x, freedom) / p).toBeCloseTo(1, 4);
});

test('nothing to see is no surprise, and the two expansions of erfc meet', () => {
  expect(chiSquareTail(0, 1)).toBe(1);
  expect(chiSquareTail(0, 2)).toBe(1);
  expect(chiSquareTail(8 - 1e-9, 1) / chiSquareTail(8 + 1e-9, 1)).toBeCloseTo(1, 7);
});
