import { expect, test } from 'vitest';
import { MS, play } from './stage.js';

/** 1 ms a row. */
const cost = [
  [1, MS],
  [2, 2 * MS],
] as const;

test('with 1 ms a row and an objective of 5 ms the cap swings between 5 and 6', () => {
  const lines = play(
    { strategy: 'clipper-aimd', options: { slo: '5ms', initialBatchSize: 5 }, cost },
    Array.from({ length: 22 }, () => 0),
  );
  expect(sizes(lines)).toEqual([5, 6, 5, 6]);
});

test('a batch that is not full leaves the cap alone', () => {
  const lines = play({ strategy: 'clipper-aimd', options: { slo: '20ms', initialBatchSize: 3 }, cost }, [
    ...[0, 0],
    ...Array.from({ length: 7 }, () => 10),
  ]);
  expect(sizes(lines)).toEqual([2, 3, 4]);
});

test('each replica finds a cap of its own: the one that is six times slower stays at 1', () => {
  const stage = { strategy: 'clipper-aimd', options: { slo: '5ms' }, cost, instances: [{}, { speed: 6 }] };
  const lines = play(
    stage,
    Array.from({ length: 14 }, () => 0),
  );
  expect(sizes(lines.filter((line) => line.endsWith('on 1')))).toEqual([1, 1]);
  expect(sizes(lines.filter((line) => line.endsWith('on 0')))).toEqual([1, 2, 3, 4, 2]);
});

test('a batch that is not full waits for the head to be batchWait old; the replica whose cap it reaches does not', () => {
  const options = { slo: '20ms', batchWait: '2ms', initialBatchSize: 2 };
  const lines = play({ strategy: 'clipper-aimd', options, cost }, [0, 3, 4]);
  expect(lines).toEqual(['{a} @ 2–3 on 0', '{b,c} @ 4–6 on 0']);
});

test('the first request runs even where it alone exceeds the cap', () => {
  const lines = play({ strategy: 'clipper-aimd', options: { slo: '20ms', maxQueueSize: 1 }, cost }, [
    { at: 0, rows: 3 },
    0,
  ]);
  expect(lines).toEqual(['b rejected @ 0: queue-full', '{a} @ 0–3 on 0']);
});

function sizes(lines: readonly string[]): number[] {
  return lines.map((line) => line.split(' @')[0]!.split(',').length);
}
