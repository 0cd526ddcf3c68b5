import { expect, test } from 'vitest';
import { betters, pairedShares } from '../../../results/stats/index.js';

const shares = (text: string) => new Map([...text].map((each, i) => [i, each === '1']));

test('two sets of answers that are right on the same samples have the ratio 1, whatever the share, and no width', () => {
  const found = pairedShares(shares('1101'), shares('1101'))!;
  expect(found).toMatchObject({ ratio: 1, onlyA: 0, onlyB: 0, total: 4 });
  expect(found.interval).toMatchObject({ low: 1, high: 1 });
});

test('of 4 against 5 right, 1 only here and 2 only there, the log ratio has variance 3/20', () => {
  const found = pairedShares(shares('111100'), shares('111011'))!;
  expect(found).toMatchObject({ onlyA: 1, onlyB: 2, total: 6 });
  expect(found.ratio).toBeCloseTo(0.8, 12);
  expect(found.interval!.high).toBeCloseTo(0.8 * Math.exp(1.959963984540054 * Math.sqrt(3 / 20)), 12);
});

test('samples that one of them did not judge do not count', () => {
  expect(pairedShares(new Map([[7, true]]), shares('11'))).toBeUndefined();
});

test('a point betters another where it is nowhere worse and somewhere better; equals better nobody', () => {
  expect(betters([1, 2], [1, 1])).toBe(true);
  expect(betters([1, 1], [1, 1])).toBe(false);
  expect(betters([2, 0], [1, 1])).toBe(false);
});
