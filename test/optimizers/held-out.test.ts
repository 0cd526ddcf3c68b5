import { expect, test } from 'vitest';
import { halves } from '../../optimizers/held-out.js';
import { rowsLibrary } from '../fixtures/dense-nets.js';

test.each([0, 1, 2, 7, 100])('halves of %i samples share none and leave none out', (count) => {
  const library = {
    ...rowsLibrary(4, Math.max(1, count), 1),
    totalSampleCount: count,
    label: (index: number) => index,
  };
  const { training, judging } = halves(library);
  const seen = [training, judging].map(({ totalSampleCount, label }) =>
    Array.from({ length: totalSampleCount }, (_, i) => label!(i)),
  );
  expect(seen.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  expect(training.sha256).not.toBe(judging.sha256);
  if (count > 0) expect(training.inputs(0)).toEqual(library.inputs(0));
  if (count > 1) expect(judging.inputs(0)).toEqual(library.inputs(1));
});
