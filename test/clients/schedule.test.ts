import { describe, expect, test } from 'vitest';
import { createArrival } from '../../clients/arrivals/index.js';
import { contiguousIndices, dueTimes, MAX_REQUESTS, sampleIndices, scheduleSha256 } from '../../clients/schedule.js';

const SCHEDULE_SEED = 16159082839903944936n;
const SAMPLE_SEED = 2747215439041700203n;

describe('due times', () => {
  test("LoadGen's schedule at 100/s is due at 0 18436540 23015776 35874399 43004346 ns", () => {
    const due = dueTimes(createArrival('poisson', {}, 100, SCHEDULE_SEED), { durationNs: 0, minCount: 5 });
    expect([...due]).toEqual([0, 18436540, 23015776, 35874399, 43004346]);
  });

  test('they are drawn until one is not earlier than the duration: 4 a second for 1 s are 0, 250, 500, 750, 1000 ms', () => {
    const due = dueTimes(createArrival('constant', {}, 4, 0n), { durationNs: 1e9, minCount: 1 });
    expect([...due]).toEqual([0, 250e6, 500e6, 750e6, 1000e6]);
  });

  test('a minimum count goes on beyond the duration, a maximum ends it before', () => {
    const gaps = () => createArrival('constant', {}, 4, 0n);
    expect(dueTimes(gaps(), { durationNs: 1e9, minCount: 9 }).at(-1)).toBe(2e9);
    expect(dueTimes(gaps(), { durationNs: 1e9, minCount: 9, maxCount: 2 })).toHaveLength(2);
  });

  test('more than ten million requests are refused with the remedy', () => {
    expect(() => dueTimes(() => 1, { durationNs: 1e12, minCount: 1 })).toThrow(/Lower the rate/);
    expect(MAX_REQUESTS).toBe(10_000_000);
  });
});

describe('sample indices', () => {
  test('with replacement they are the ones LoadGen draws', () => {
    expect([...sampleIndices('random', SAMPLE_SEED, 8, 1024)]).toEqual([818, 976, 516, 292, 672, 710, 120, 666]);
  });

  test('unique repeats one permutation; equal-issue draws a fresh one, so 25 of 10 give each sample 2 or 3 times', () => {
    const unique = [...sampleIndices('unique', SAMPLE_SEED, 25, 10)];
    expect(unique.slice(0, 10)).toEqual([7, 1, 6, 5, 2, 8, 4, 0, 3, 9]);
    expect(unique.slice(10, 20)).toEqual(unique.slice(0, 10));
    const equal = [...sampleIndices('equal-issue', SAMPLE_SEED, 25, 10)];
    expect(equal.slice(0, 10)).toEqual(unique.slice(0, 10));
    expect(equal.slice(10, 20)).not.toEqual(equal.slice(0, 10));
    for (let sample = 0; sample < 10; sample++)
      expect([2, 3]).toContain(equal.filter((index) => index === sample).length);
  });

  test('a multi-stream query takes contiguous samples and wraps', () => {
    expect([...contiguousIndices(SAMPLE_SEED, 2, 3, 1024)]).toEqual([818, 819, 820, 976, 977, 978]);
    const wrapped = contiguousIndices(SAMPLE_SEED, 50, 4, 5);
    for (let i = 0; i < wrapped.length; i += 4)
      for (let k = 1; k < 4; k++) expect(wrapped[i + k]).toBe((wrapped[i]! + k) % 5);
  });
});

test('the hash of a schedule depends on each due time and each sample', () => {
  const plan = (due: number, sample: number) =>
    scheduleSha256({
      mode: 'open',
      dueNs: Float64Array.of(0, due),
      sampleIndex: Uint32Array.of(0, sample),
      query: Uint32Array.of(0, 1),
      cap: 1,
      latenessExpected: false,
    });
  expect(plan(5, 1)).toBe(plan(5, 1));
  expect(new Set([plan(5, 1), plan(6, 1), plan(5, 2)]).size).toBe(3);
});
