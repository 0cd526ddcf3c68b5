import { expect, test } from 'vitest';
import { fromBf16, fromFp16, toBf16, toFp16 } from '../../../servers/protocol/half.js';

test.each([
  [0, 0x0000],
  [-0, 0x8000],
  [1, 0x3c00],
  [-2, 0xc000],
  [0.1, 0x2e66],
  [65504, 0x7bff],
  [65519.99, 0x7bff],
  [65520, 0x7c00],
  [2 ** -14, 0x0400],
  [2 ** -24, 0x0001],
  [2 ** -25, 0x0000],
  [3 * 2 ** -25, 0x0002],
  [Number.NEGATIVE_INFINITY, 0xfc00],
  [Number.NaN, 0x7e00],
])('The FP16 nearest to %d has the bits %i', (value, bits) => {
  expect(toFp16(value)).toBe(bits);
});

test.each([
  [1, 0x3f80],
  [-1, 0xbf80],
  [1 + 2 ** -8, 0x3f80],
  [1 + 3 * 2 ** -8, 0x3f82],
  [3.4e38, 0x7f80],
  [2 ** -133, 0x0001],
  [Number.NaN, 0x7fc0],
])('The BF16 nearest to %d has the bits %i, ties to even', (value, bits) => {
  expect(toBf16(value)).toBe(bits);
});

test('All 65,536 bit patterns of both formats survive the way through a number', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    if (!Number.isNaN(fromFp16(bits)) && toFp16(fromFp16(bits)) !== bits) expect.fail(`FP16 ${bits}`);
    if (!Number.isNaN(fromBf16(bits)) && toBf16(fromBf16(bits)) !== bits) expect.fail(`BF16 ${bits}`);
  }
});

test('A BF16 is the upper half of a float32', () => {
  const view = new DataView(new ArrayBuffer(4));
  for (const bits of [0x3f80, 0x4049, 0xc2f7, 0x0001, 0x7f7f]) {
    view.setUint32(0, bits * 0x10000);
    expect(fromBf16(bits)).toBe(view.getFloat32(0));
  }
});
