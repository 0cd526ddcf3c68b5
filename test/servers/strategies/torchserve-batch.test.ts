import { expect, test } from 'vitest';
import { type Arrival, MS, play } from './stage.js';

const torchserve = (options: Readonly<Record<string, unknown>>, arrivals: readonly Arrival[], more = {}) =>
  play({ strategy: 'torchserve-batch', options, ...more }, arrivals);

test('the delay counts from the first pick-up: a job that waited for the worker may wait the whole delay again', () => {
  const arrivals = [0, 1, 2, 12, 13, 14, 15, 16, 30];
  expect(torchserve({ batchSize: 4, maxBatchDelay: '5ms' }, arrivals)).toEqual([
    '{a,b,c} @ 5–15 on 0',
    '{d,e,f,g} @ 15–25 on 0',
    '{h,i} @ 30–40 on 0',
  ]);
});

test('one worker collects at a time: the second begins when the first has gone', () => {
  const lines = torchserve({ batchSize: 4, maxBatchDelay: '5ms' }, [0, 1, 5, 6], { instances: 2 });
  expect(lines).toEqual(['{a,b,c} @ 5–15 on 0', '{d} @ 11–21 on 1']);
});

test('without a delay a batch holds at most two jobs', () => {
  expect(torchserve({ batchSize: 4, maxBatchDelay: 0 }, [0, 0, 0])).toEqual(['{a,b} @ 0–10 on 0', '{c} @ 10–20 on 0']);
});

test('a job that is picked up after its deadline is rejected and takes no place; one picked up at its deadline runs', () => {
  const late = { at: 0, deadlineNs: 9 * MS };
  const just = { at: 0, deadlineNs: 10 * MS };
  expect(torchserve({ batchSize: 2 }, [0, 0, late, just, just])).toEqual([
    '{a,b} @ 0–10 on 0',
    'c rejected @ 10: expired',
    '{d,e} @ 10–20 on 0',
  ]);
});

test('a job in the hand of the collector leaves room in the queue', () => {
  expect(torchserve({ batchSize: 4, maxBatchDelay: '5ms', jobQueueSize: 1 }, [0, 1, 1])).toEqual([
    'c rejected @ 1: queue-full',
    '{a,b} @ 5–15 on 0',
  ]);
});
