import { expect, test } from 'vitest';
import { apart, halves } from '../../../clients/samples/index.js';
import { rowsLibrary } from '../../fixtures/dense-nets.js';

const library = (count: number) => ({
  ...rowsLibrary(4, count, 1),
  totalSampleCount: count,
  label: (index: number) => index,
});

test.each([
  [2, 1],
  [3, 0],
  [7, 3],
  [100, 99],
  [100, 7],
])('of %i samples %i for passes and the others share none and leave none out', (total, count) => {
  const whole = library(total);
  const { forPasses, others } = apart(whole, count);
  expect([forPasses.totalSampleCount, others.totalSampleCount]).toEqual([count, total - count]);
  const seen = [forPasses, others].map(({ totalSampleCount, label }) =>
    Array.from({ length: totalSampleCount }, (_, i) => label!(i)),
  );
  expect(seen.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, i) => i));
  expect(forPasses.sha256).not.toBe(others.sha256);
  expect(others.inputs(0)).toEqual(whole.inputs(others.label!(0)));
});

test('samples for passes are spread evenly: of a library sorted by class every class is seen', () => {
  const { forPasses } = apart(library(100), 10);
  expect(Array.from({ length: 10 }, (_, i) => forPasses.label!(i))).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
});

test('halves are every second sample', () => {
  const { forPasses, others } = halves(library(6));
  const labels = (part: typeof forPasses) => [0, 1, 2].map((i) => part.label!(i));
  expect([labels(forPasses), labels(others)]).toEqual([
    [0, 2, 4],
    [1, 3, 5],
  ]);
});

test('samples that are all for passes leave none to judge on', () => {
  expect(() => apart(library(3), 3)).toThrow(/samples\.forPasses.*leave none/s);
});
