import { expect, test } from 'vitest';
import { MS, play } from './stage.js';

const due = (at: number, deadlineMs: number) => ({ at, deadlineNs: deadlineMs * MS });

/** x runs from 0 to 10; then a, due at 9, b, due at 15, and c, due at 40, wait. */
const behindX = [
  { id: 'x', at: 0 },
  { id: 'a', ...due(1, 9) },
  { id: 'b', ...due(1, 15) },
  { id: 'c', ...due(1, 40) },
];

test.each([
  ['none', ['{x} @ 0–10 on 0', '{a} @ 10–20 on 0', '{b} @ 20–30 on 0', '{c} @ 30–40 on 0']],
  ['expired', ['{x} @ 0–10 on 0', 'a rejected @ 10: expired', '{b} @ 10–20 on 0', '{c} @ 20–30 on 0']],
  ['infeasible', ['{x} @ 0–10 on 0', 'a rejected @ 10: late', 'b rejected @ 10: late', '{c} @ 10–20 on 0']],
])('edf that drops %s, when the instance frees at 10', (drop, lines) => {
  expect(play({ strategy: 'edf', options: { drop } }, behindX)).toEqual(lines);
});

test('edf batches in the order of deadlines, up to the first that does not fit', () => {
  const arrivals = [{ ...due(0, 30), rows: 2 }, { ...due(0, 20), rows: 2 }, due(0, 40), { ...due(0, 10), rows: 5 }];
  expect(play({ strategy: 'edf', options: { maxBatchSize: 4 } }, arrivals)).toEqual([
    'd rejected @ 0: batch-too-large',
    '{b,a} @ 0–10 on 0',
    '{c} @ 10–20 on 0',
  ]);
});

test('edf: without a deadline of its own a request is due slo after its arrival; one that is due just when it would end runs', () => {
  const options = { slo: '10ms', drop: 'infeasible' };
  expect(play({ strategy: 'edf', options }, [0, due(1, 20)])).toEqual(['{a} @ 0–10 on 0', '{b} @ 10–20 on 0']);
});

test('clockwork refuses on arrival what would end late: with 7.18 ms alone, a request seen at 45 and due at 50', () => {
  expect(play({ strategy: 'clockwork', costMs: 7.18 }, [due(45, 50)])).toEqual(['a rejected @ 45: late']);
});

/** 2 ms + 2 ms a row. */
const linear = [
  [1, 4 * MS],
  [2, 6 * MS],
] as const;

test('clockwork counts from the planned end of what runs: due at 7, behind an execution until 4, is refused at 1', () => {
  expect(play({ strategy: 'clockwork', cost: linear }, [due(0, 9), due(1, 7), due(1, 8)])).toEqual([
    '{a} @ 0–4 on 0',
    'b rejected @ 1: late',
    '{c} @ 4–8 on 0',
  ]);
});

test('clockwork takes the largest batch that enough will bear and passes over the more urgent', () => {
  // At 0 wait a (due 5), b, c, d (due 12): three take 8 ms, four would take 10 and a can not bear even two.
  const arrivals = [due(0, 5), due(0, 12), due(0, 12), due(0, 12)];
  expect(play({ strategy: 'clockwork', cost: linear }, arrivals)).toEqual([
    '{b,c,d} @ 0–8 on 0',
    'a rejected @ 0: late',
  ]);
});

test('nexus drops early who could run alone but not lead a batch of four; lazily it runs', () => {
  // Alone 4 ms, four in 10; x holds the instance until 4; a is due at 13.5 and four would end at 14.
  const arrivals = [
    { id: 'x', at: 0 },
    { id: 'a', ...due(1, 13.5) },
    ...[3, 3, 3, 3].map((at, i) => ({ id: 'bcde'[i]!, at })),
  ];
  const stage = { strategy: 'nexus', cost: linear };
  expect(play({ ...stage, options: { slo: '11ms', targetBatchSize: 4 } }, arrivals)).toEqual([
    '{x} @ 0–4 on 0',
    'a rejected @ 4: late',
    '{b,c,d,e} @ 4–14 on 0',
  ]);
  expect(play({ ...stage, options: { slo: '11ms', targetBatchSize: 4, drop: 'lazy' } }, arrivals)).toEqual([
    '{x} @ 0–4 on 0',
    '{a,b,c,d} @ 4–14 on 0',
    'e rejected @ 14: late',
  ]);
});
