import { expect, test } from 'vitest';
import { tfsBatch } from '../../../servers/strategies/tfs-batch.js';
import { type Arrival, play } from './stage.js';

const tfs = (options: Readonly<Record<string, unknown>>, arrivals: readonly Arrival[], more = {}) =>
  play({ strategy: 'tfs-batch', options, ...more }, arrivals);

test('with a timeout of 10 ms and an arrival every 6 ms, batches of two leave when the first of each is 10 ms old', () => {
  expect(tfs({ maxBatchSize: 8, batchTimeout: '10ms' }, [0, 6, 12, 18, 24, 30], { costMs: 2 })).toEqual([
    '{a,b} @ 10–12 on 0',
    '{c,d} @ 22–24 on 0',
    '{e,f} @ 34–36 on 0',
  ]);
});

test('boundaries are fixed on arrival: 3, 3, 2, 2 rows behind a full run make batches of 3, 3 and 2 + 2', () => {
  const rows = [4, 3, 3, 2, 2].map((n, i) => ({ at: i, rows: n }));
  expect(tfs({ maxBatchSize: 4 }, rows)).toEqual([
    '{a} @ 0–10 on 0',
    '{b} @ 10–20 on 0',
    '{c} @ 20–30 on 0',
    '{d,e} @ 30–40 on 0',
  ]);
});

test('a full open batch does not wait for its timeout', () => {
  expect(tfs({ maxBatchSize: 2, batchTimeout: '50ms' }, [0, 3])).toEqual(['{a,b} @ 3–13 on 0']);
});

test('models take turns, however much one of them has waiting', () => {
  const arrivals = ['m', 'm', 'm', 'n', 'm', 'n'].map((model) => ({ at: 0, model }));
  const lines = tfs({ maxBatchSize: 1, models: ['m', 'n'] }, arrivals);
  expect(lines.map((line) => line.slice(0, 3)).join(' ')).toBe('{a} {d} {b} {f} {c} {e}');
});

test('a queue of two batches of two takes four requests; rows beyond a batch and unknown models are refused', () => {
  const options = { maxBatchSize: 2, maxEnqueuedBatches: 2, models: ['m'] };
  const arrivals = [{ at: 0, model: 'm', rows: 3 }, { at: 0 }, ...[1, 2, 3, 4, 5].map(() => ({ at: 0, model: 'm' }))];
  expect(tfs(options, arrivals)).toEqual([
    'a rejected @ 0: batch-too-large',
    'b rejected @ 0: unknown-model',
    'g rejected @ 0: queue-full',
    '{c,d} @ 0–10 on 0',
    '{e,f} @ 10–20 on 0',
  ]);
});

test('an execution computes as many rows as the least allowed size that holds it: 3 of 8 cost as much as 4', () => {
  const cost = [
    [1, 1_000_000],
    [8, 8_000_000],
  ] as const;
  const arrivals = [{ at: 0, rows: 3 }];
  expect(tfs({ maxBatchSize: 8, allowedBatchSizes: [1, 4, 8] }, arrivals, { cost })).toEqual(['{a} @ 0–4 on 0']);
});

test.each([
  [{ maxBatchSize: 8, allowedBatchSizes: [4, 2, 8] }, 'sizes must ascend'],
  [{ maxBatchSize: 8, allowedBatchSizes: [2, 4] }, 'must equal maxBatchSize 8'],
  [{ models: ['m', 'm'] }, 'a model is named twice'],
])('options that contradict each other are refused: %j', (options, message) => {
  expect(tfsBatch.options.safeParse(options).error?.issues[0]?.message).toContain(message);
});
