import { describe, expect, test } from 'vitest';
import type { Evaluation } from '../../../optimizers/search/index.js';
import { isBetter, slopedMerit } from '../../../optimizers/search/merit.js';
import { numberOf, pointAt } from '../../../optimizers/search/space.js';
import { expectedImprovement, normalCdf } from '../../../optimizers/search/support/acquisition.js';
import { crowding, dominates, fronts, paretoFront } from '../../../optimizers/search/support/dominance.js';
import { featuresOf } from '../../../optimizers/search/support/features.js';
import { fitProcess } from '../../../optimizers/search/support/gaussian-process.js';

const at = (objectives: readonly number[], excess: readonly number[] = [0]): Evaluation => ({
  state: 'measured',
  objectives,
  excess,
});

describe('Gaussian process', () => {
  const places = [0, 0.25, 0.5, 0.75, 1].map((x) => Float64Array.of(x));
  const process = fitProcess(
    places,
    places.map(([x]) => Math.sin(3 * x!)),
  );

  test('goes through what was measured, and is unsure between', () => {
    const { mean, sd } = process.predict([...places, Float64Array.of(0.6)]);
    for (const [i, [x]] of places.entries()) expect(mean[i]).toBeCloseTo(Math.sin(3 * x!), 1);
    expect(mean[5]).toBeCloseTo(Math.sin(1.8), 1);
    expect(sd[5]!).toBeGreaterThan(sd[2]!);
  });

  test('far from everything it says the mean, with all its doubt', () => {
    const { mean, sd } = process.predict([Float64Array.of(100)]);
    expect(mean[0]).toBeCloseTo(places.reduce((sum, [x]) => sum + Math.sin(3 * x!), 0) / 5, 6);
    expect(sd[0]!).toBeGreaterThan(0.1);
  });
});

test('normal distribution: 0.5 at 0, 0.975 at 1.959964, 0.0013499 at −3', () => {
  expect(normalCdf(0)).toBeCloseTo(0.5, 7);
  expect(normalCdf(1.959964)).toBeCloseTo(0.975, 6);
  expect(normalCdf(-3)).toBeCloseTo(0.0013499, 6);
});

test('expected improvement at the best so far is sd / √(2π); without doubt it is the plain gain', () => {
  expect(expectedImprovement(1, 2, 1)).toBeCloseTo(2 / Math.sqrt(2 * Math.PI), 6);
  expect(expectedImprovement(3, 0, 1)).toBe(2);
  expect(expectedImprovement(0, 0, 1)).toBe(0);
});

describe('dominance', () => {
  // a (3, 1), b (1, 3), c (2, 2) dominate nobody of each other; d (1, 1) is below c; e breaks its bound.
  const evaluations = [at([3, 1]), at([1, 3]), at([2, 2]), at([1, 1]), at([9, 9], [0.1])];

  test('fronts peel off: what nothing beats, then what only those beat; a broken bound comes last', () => {
    expect(fronts(evaluations)).toEqual([[0, 1, 2], [3], [4]]);
    expect(paretoFront(evaluations)).toEqual([0, 1, 2]);
    expect(paretoFront([at([9, 9], [0.1])])).toEqual([]);
  });

  test('the ends of a front are infinitely lonely, the middle by its gaps', () => {
    const distance = crowding([0, 1, 2], evaluations);
    expect([distance.get(0), distance.get(1), distance.get(2)]).toEqual([Infinity, Infinity, 2]);
  });

  test('a failed point dominates nothing', () => {
    const failed: Evaluation = { state: 'failed', reason: 'died' };
    expect(dominates(failed, evaluations[3]!)).toBe(false);
    expect(dominates(evaluations[4]!, failed)).toBe(true);
  });
});

test('a kept bound beats any rate; of two broken ones the less broken is better', () => {
  expect(isBetter(at([1], [0]), at([100], [0.01]))).toBe(true);
  expect(isBetter(at([1], [0.2]), at([100], [0.3]))).toBe(true);
  expect(isBetter(at([2], [-1]), at([1], [-5]))).toBe(true);
  expect(slopedMerit(at([100], [1]))).toBeCloseTo(25 / Math.E, 9);
  expect(slopedMerit({ state: 'failed', reason: 'died' })).toBe(0);
});

test('two names are 1 apart, an ordered dimension runs from 0 to 1', () => {
  const space = {
    dimensions: [
      { name: 'v', values: ['a', 'b'], ordered: false },
      { name: 'n', values: [1, 2, 3], ordered: true },
    ],
  };
  const [a, b] = [featuresOf(space, [0, 1]), featuresOf(space, [1, 1])];
  expect(Math.hypot(...a.map((value, k) => value - b[k]!))).toBeCloseTo(1, 12);
  expect(a[2]).toBe(0.5);
  expect([0, 1, 2, 3, 4, 5].map((n) => numberOf(space, pointAt(space, n)))).toEqual([0, 1, 2, 3, 4, 5]);
});
