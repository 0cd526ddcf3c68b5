import { expect, test } from 'vitest';
import { LatencyLine } from '../../../servers/strategies/support/latency-line.js';
import { MS, play } from './stage.js';

/** 1 ms a row. */
const cost = [
  [1, MS],
  [2, 2 * MS],
] as const;

const many = (length: number) => Array.from({ length }, () => 0);

test('with time to spare it explores one more below ten, then a tenth more', () => {
  const lines = play({ strategy: 'clipper-estimator', options: { slo: '10s', minSamples: 1 }, cost }, many(360));
  expect(sizes(lines).slice(0, 21)).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22,
  ]);
});

test('exploring computes the whole size although fewer requests wait', () => {
  const lines = play({ strategy: 'clipper-estimator', options: { slo: '1s', minSamples: 1 }, cost }, [0, 5]);
  expect(lines).toEqual(['{a} @ 0–1 on 0', '{b} @ 5–7 on 0']);
});

test('every request counts as one row, whatever it holds', () => {
  const requests = [0, 0, 0].map((at) => ({ at, rows: 3 }));
  const lines = play({ strategy: 'clipper-estimator', options: { slo: '1s', minSamples: 1 }, cost }, requests);
  expect(lines).toEqual(['{a} @ 0–1 on 0', '{b,c} @ 1–3 on 0']);
});

test('without time to explore it takes what a line through the latencies says, and rejects what has expired', () => {
  // Budgets are 92 % of what is left of 10 ms. Sizes 1, 2, 3 end at 1, 3, 6; then 3.68 ms are left: the line says 3.
  const lines = play({ strategy: 'clipper-estimator', options: { slo: '10ms', minSamples: 1 }, cost }, many(12));
  expect(lines.slice(0, 5)).toEqual([
    '{a} @ 0–1 on 0',
    '{b,c} @ 1–3 on 0',
    '{d,e,f} @ 3–6 on 0',
    '{g,h,i,j} @ 6–10 on 0',
    'k rejected @ 10: expired',
  ]);
});

test('the earlier deadline goes first', () => {
  const deadlineNs = 50 * MS;
  const lines = play({ strategy: 'clipper-estimator', options: { slo: '1s' }, cost }, [0, 0, { at: 0, deadlineNs }]);
  expect(lines.map((line) => line.slice(0, 3))).toEqual(['{c}', '{a}', '{b}']);
});

test('the line is fitted to mean + z pooled deviations: 10 ± 1 at size 1 and 20 at size 2 leave room for 3 in 40', () => {
  const line = new LatencyLine();
  expect(line.sizeWithin(40, 1)).toBeUndefined();
  for (const latency of [9, 11]) line.add(1, latency);
  line.add(2, 20);
  // Pooled: √(2 / 1) ≈ 1.41; y = 11.41, 21.41: slope 10, intercept 1.41; (40 − 1.41) / 10 = 3.86.
  expect(line.sizeWithin(40, 1)).toBe(3);
  expect(line.sizeWithin(41, 0)).toBe(4);
  expect(line.samplesOf(1)).toBe(2);
  expect(line.samplesOf(3)).toBe(0);
});

test('a line that does not rise says nothing', () => {
  const line = new LatencyLine();
  line.add(2, 10);
  line.add(1, 10);
  expect(line.sizeWithin(40, 3)).toBeUndefined();
});

function sizes(lines: readonly string[]): number[] {
  return lines.map((line) => line.split(' @')[0]!.split(',').length);
}
