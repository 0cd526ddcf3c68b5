import { expect, test } from 'vitest';
import { djlWlm } from '../../../servers/strategies/djl-wlm.js';
import { type Arrival, play } from './stage.js';

const djl = (options: Readonly<Record<string, unknown>>, arrivals: readonly Arrival[], more = {}) =>
  play({ strategy: 'djl-wlm', options, ...more }, arrivals);

test('two collecting workers take jobs in turn: 0 gets the first and third, 1 the second and fourth', () => {
  const options = { batchSize: 3, maxBatchDelay: '5ms', minWorkers: 2 };
  expect(djl(options, [0, 1, 2, 3], { instances: 2 })).toEqual(['{a,c} @ 5–15 on 0', '{b,d} @ 6–16 on 1']);
});

test('a worker drains what waits and, without a delay, goes', () => {
  expect(djl({ batchSize: 4, maxBatchDelay: 0 }, [0, 1, 2])).toEqual(['{a} @ 0–10 on 0', '{b,c} @ 10–20 on 0']);
});

test('more than two batches in the queue bring a temporary worker, which leaves after its idle time', () => {
  const options = { batchSize: 1, maxBatchDelay: 0, maxIdleTime: '50ms' };
  expect(djl(options, [0, 1, 2, 3], { instances: 2 })).toEqual([
    '{a} @ 0–10 on 0',
    '2 replicas @ 3',
    '{b} @ 3–13 on 1',
    '{c} @ 10–20 on 0',
    '{d} @ 13–23 on 1',
    '1 replicas @ 73',
  ]);
});

test('the last place in the queue is kept while every worker is busy', () => {
  const options = { batchSize: 4, maxBatchDelay: 0, maxWorkers: 1, jobQueueSize: 2 };
  expect(djl(options, [0, 1, 2])).toEqual(['{a} @ 0–10 on 0', 'c rejected @ 2: queue-full', '{b} @ 10–20 on 0']);
});

test('without fixed workers the first job brings one', () => {
  const options = { minWorkers: 0, maxBatchDelay: 0, maxIdleTime: '5ms' };
  expect(djl(options, [1])).toEqual(['1 replicas @ 1', '{a} @ 1–11 on 0', '0 replicas @ 16']);
});

test('more fixed workers than workers are refused', () => {
  expect(djlWlm.options.safeParse({ minWorkers: 3, maxWorkers: 2 }).success).toBe(false);
});
