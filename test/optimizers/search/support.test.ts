import { determinant, inverse, Matrix } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import type { Evaluation } from '../../../optimizers/search/index.js';
import { isBetter, slopedMerit } from '../../../optimizers/search/merit.js';
import { numberOf, pointAt } from '../../../optimizers/search/space.js';
import { expectedImprovement, normalCdf } from '../../../optimizers/search/support/acquisition.js';
import { crowding, dominates, fronts, paretoFront } from '../../../optimizers/search/support/dominance.js';
import { featuresOf } from '../../../optimizers/search/support/features.js';
import { growingProcess } from '../../../optimizers/search/support/gaussian-process.js';
import { canonicalDouble, FastRandom, permutation } from '../../../results/stats/index.js';

const at = (objectives: readonly number[], excess: readonly number[] = [0]): Evaluation => ({
  state: 'measured',
  objectives,
  excess,
});

describe('Gaussian process', () => {
  const places = [0, 0.25, 0.5, 0.75, 1, 0.6, 100].map((x) => Float64Array.of(x));
  const values = places.slice(0, 5).map(([x]) => Math.sin(3 * x!));
  const growing = growingProcess(places);
  for (let number = 0; number < 5; number++) growing.measure(number);
  const process = growing.fit(values);

  test('goes through what was measured, and is unsure between', () => {
    const { mean, sd } = process.predict([0, 1, 2, 3, 4, 5]);
    for (const [i, value] of values.entries()) expect(mean[i]).toBeCloseTo(value, 1);
    expect(mean[5]).toBeCloseTo(Math.sin(1.8), 1);
    expect(sd[5]!).toBeGreaterThan(sd[2]!);
  });

  test('far from everything it says the mean, with all its doubt', () => {
    const { mean, sd } = process.predict([6]);
    expect(mean[0]).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / 5, 6);
    expect(sd[0]!).toBeGreaterThan(0.1);
  });

  test('grown place by place, with predictions between, it says what one solution of the whole system says', () => {
    const random = new FastRandom(5n);
    const some = Array.from({ length: 60 }, () => Float64Array.from({ length: 3 }, () => canonicalDouble(random)));
    const order = [...permutation(random, some.length)].slice(0, 40);
    const value = ([a, b, c]: Float64Array) => Math.sin(4 * a!) + b! * b! - 0.3 * c! + 0.05 * canonicalDouble(random);
    const grown = growingProcess(some);
    const found: number[] = [];
    for (const [n, number] of order.entries()) {
      grown.measure(number);
      found.push(value(some[number]!));
      if (n % 7 === 3) grown.fit(found).predict([1, 2]);
    }
    const all = some.map((_, number) => number);
    const whole = atOnce(some, order, found);
    const fitted = grown.fit(found);
    expect(fitted.lengthScale).toBe(whole.lengthScale);
    expect(fitted.logLikelihood).toBeCloseTo(whole.logLikelihood, 7);
    const { mean, sd } = fitted.predict(all);
    for (const number of all) {
      expect(mean[number]).toBeCloseTo(whole.mean[number]!, 8);
      expect(sd[number]).toBeCloseTo(whole.sd[number]!, 8);
    }
  });
});

/** The textbook's formulas with an inverse, for the best of the same ten pairs of length scale and noise. */
function atOnce(places: readonly Float64Array[], order: readonly number[], values: readonly number[]) {
  const n = values.length;
  const level = values.reduce((a, b) => a + b, 0) / n;
  const scale = Math.sqrt(values.reduce((sum, value) => sum + (value - level) ** 2, 0) / n);
  const y = Matrix.columnVector(values.map((value) => (value - level) / scale));
  const fits = [0.15, 0.3, 0.6, 1.2, 2.4].flatMap((lengthScale) =>
    [1e-4, 1e-2].map((noise) => {
      const k = (a: number, b: number) => {
        const r = (Math.sqrt(5) * Math.hypot(...places[a]!.map((x, d) => x - places[b]![d]!))) / lengthScale;
        return (1 + r + (r * r) / 3) * Math.exp(-r);
      };
      const covariance = new Matrix(order.map((a) => order.map((b) => k(a, b) + (a === b ? noise : 0))));
      const inverted = inverse(covariance);
      const variance = y.transpose().mmul(inverted).mmul(y).get(0, 0) / n;
      const logLikelihood =
        -0.5 * n * Math.log(variance) - 0.5 * Math.log(determinant(covariance)) - 0.5 * n * (1 + Math.log(2 * Math.PI));
      const cross = new Matrix(order.map((a) => places.map((_, b) => k(a, b))));
      const weights = cross.transpose().mmul(inverted);
      const mean = weights.mmul(y).to1DArray();
      const known = places.map((_, b) => weights.getRowVector(b).mmul(cross.getColumnVector(b)).get(0, 0));
      return {
        lengthScale,
        logLikelihood,
        mean: mean.map((each) => level + scale * each),
        sd: known.map((share) => scale * Math.sqrt(Math.max(0, variance * (1 + noise - share)))),
      };
    }),
  );
  return fits.reduce((a, b) => (b.logLikelihood > a.logLikelihood ? b : a));
}

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
