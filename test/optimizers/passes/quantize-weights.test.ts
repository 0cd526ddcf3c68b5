import { expect, test } from 'vitest';
import { packBlocks } from '../../../optimizers/passes/quantize-weights.js';

test('two columns of four weights pack into one nibble each, low first, with 8 as zero', () => {
  // Column 0 is 1, −2, 0, 4: farthest from 0 is 4, which gets −8, so scale −0.5: −2, 4, 0, −8, and 8 more: 6, 12, 8, 0.
  // Column 1 is −8, 0, 1, 7: farthest is −8, scale 1: 0, 8, 9, 15.
  const weights = Float32Array.of(1, -8, -2, 0, 0, 1, 4, 7);
  const { values, scales, zeroPoints } = packBlocks(weights, 4, 2, 4, 16, true);
  expect([...scales]).toEqual([-0.5, 1]);
  expect([...values.subarray(0, 2)]).toEqual([6 | (12 << 4), 8 | (0 << 4)]);
  expect([...values.subarray(8, 10)]).toEqual([0 | (8 << 4), 9 | (15 << 4)]);
  expect(zeroPoints).toBeUndefined();
});

test('a zero point lets all codes serve weights of one sign', () => {
  // 0, 3, 6, 15: scale 1, zero point 0.
  const { values, scales, zeroPoints } = packBlocks(Float32Array.of(0, 3, 6, 15), 4, 1, 4, 16, false);
  expect([scales[0], zeroPoints![0]]).toEqual([1, 0]);
  expect([...values.subarray(0, 2)]).toEqual([0 | (3 << 4), 6 | (15 << 4)]);
});
