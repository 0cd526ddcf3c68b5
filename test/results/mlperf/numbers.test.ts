import { expect, test } from 'vitest';
import { fixed, general, whole } from '../../../results/mlperf/numbers.js';

test.each([
  [200, '200'],
  [0, '0'],
  [1234.5678, '1234.57'],
  [999999.6, '1e+06'],
  [1234567, '1.23457e+06'],
  [0.00012345678, '0.000123457'],
  [0.00001, '1e-05'],
  [Number.NaN, 'nan'],
  [Number.NEGATIVE_INFINITY, '-inf'],
])('a C++ stream prints %d as %s', (value, text) => {
  expect(general(value)).toBe(text);
});

test('to_string has six decimals, and JSON’s extensions beyond numbers', () => {
  expect([fixed(1 / 3), fixed(90, 2), fixed(Number.NaN), fixed(Number.POSITIVE_INFINITY)]).toEqual([
    '0.333333',
    '90.00',
    'NaN',
    'Infinity',
  ]);
  expect([whole(2.5e6), whole(1e15), whole(Number.NaN)]).toEqual(['2500000', '1000000000000000', 'NaN']);
});
