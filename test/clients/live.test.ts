import { expect, test } from 'vitest';
import { Live } from '../../clients/live.js';

test('of 1 … 1,000 ms the 99th percentile is shown within 9 % of 991 ms; errors do not count', () => {
  const live = new Live();
  expect(live.p99Ns()).toBeNull();
  for (let ms = 1; ms <= 1000; ms++) live.add(true, ms * 1e6);
  for (let i = 0; i < 100; i++) live.add(false, 60e9);
  expect(Math.abs(live.p99Ns()! / 991e6 - 1)).toBeLessThan(0.09);
  expect([live.completed, live.errors]).toEqual([1100, 100]);
});
