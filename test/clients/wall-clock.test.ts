import { expect, test } from 'vitest';
import { clockDrift, readClocks } from '../../clients/wall-clock.js';

test('a wall clock that gains 1 ms in 1 s drifts by +0.1 %', () => {
  expect(clockDrift({ wallMs: 5000, monotonicNs: 7e9 }, { wallMs: 6001, monotonicNs: 8e9 })).toBeCloseTo(0.001, 12);
});

test('both clocks are read at a tick of the wall clock, so later readings are later', () => {
  const [first, second] = [readClocks(), readClocks()];
  expect(second.wallMs).toBeGreaterThan(first.wallMs);
  expect(second.monotonicNs).toBeGreaterThan(first.monotonicNs);
});
