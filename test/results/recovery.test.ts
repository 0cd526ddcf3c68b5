import { expect, test } from 'vitest';
import { longestMiss } from '../../results/recovery.js';
import { factsOf, type Row, steady } from './facts.js';

/** A request every 100 ms for 10 s; those due in [from, to) ms take 500 ms, the others 10 ms. */
function slowIn(...spans: readonly (readonly [from: number, to: number])[]): Row[] {
  return steady(100, 100, (i) => (spans.some(([from, to]) => i * 100 >= from && i * 100 < to) ? 500 : 10));
}

const miss = (rows: Row[]) => longestMiss(factsOf(rows).records, 100e6);

test('the longest miss goes from the first late request to the last one', () => {
  expect(miss(slowIn())).toBeUndefined();
  expect(miss(slowIn([2000, 4000]))).toEqual({ fromNs: 2000e6, toNs: 3900e6 });
  expect(miss(slowIn([1000, 1500], [4000, 6000]))).toEqual({ fromNs: 4000e6, toNs: 5900e6 });
});

test('less than a second of calm does not end it', () => {
  expect(miss(slowIn([2000, 3000], [3800, 4500]))).toEqual({ fromNs: 2000e6, toNs: 4400e6 });
});

test('what is missed to the end has not recovered; an unanswered request is a miss', () => {
  expect(miss(slowIn([7000, 10_000]))).toEqual({ fromNs: 7000e6, toNs: null });
  const rows = steady(100, 100, 10).map((row, i) => (i === 30 ? { ...row, outcome: 'failed' as const } : row));
  expect(miss(rows)).toEqual({ fromNs: 3000e6, toNs: 3000e6 });
});
