import { expect, test } from 'vitest';
import { instanceList, strategyContext } from '../../../servers/executors/context.js';
import { costModel } from '../../../servers/executors/cost.js';
import { createStrategy } from '../../../servers/strategies/registry.js';
import { MS, play } from './stage.js';

/** `p+` starts sequence p, `p-` ends it, `p+-` is all of it. */
function turn(id: string, at: number, what: string) {
  return { id, at, client: what[0]!, start: what.includes('+'), end: what.includes('-') };
}

const sequence = (options: Readonly<Record<string, unknown>>, arrivals: Parameters<typeof play>[1], more = {}) =>
  play({ strategy: 'triton-sequence', options, ...more }, arrivals);

test('two sequences share a batch, each in its slot, one request of each at a time', () => {
  const arrivals = [turn('p1', 0, 'p+'), turn('q1', 0, 'q+'), turn('p2', 1, 'p-'), turn('q2', 1, 'q-')];
  expect(sequence({ maxBatchSize: 2 }, arrivals)).toEqual(['{p1,q1} @ 0–10 on 0', '{p2,q2} @ 10–20 on 0']);
});

test('with one slot and an idle limit of 20 ms, q runs at 20 after p went silent, and the next of p is refused', () => {
  const arrivals = [turn('p1', 0, 'p+'), turn('q1', 1, 'q+-'), turn('p2', 25, 'p')];
  expect(sequence({ maxSequenceIdle: '20ms' }, arrivals)).toEqual([
    '{p1} @ 0–10 on 0',
    '{q1} @ 20–30 on 0',
    'p2 rejected @ 25: no-sequence',
  ]);
});

test('a slot is free as soon as the last request of its sequence is dispatched', () => {
  const arrivals = [turn('p1', 0, 'p+-'), turn('q1', 0, 'q+-')];
  expect(sequence({}, arrivals)).toEqual(['{p1} @ 0–10 on 0', '{q1} @ 10–20 on 0']);
});

test('sequences spread over instances before they share one', () => {
  const arrivals = [turn('p1', 0, 'p+'), turn('q1', 0, 'q+'), turn('r1', 0, 'r+')];
  expect(sequence({ maxBatchSize: 2 }, arrivals, { instances: 2 })).toEqual([
    '{p1,r1} @ 0–10 on 0',
    '{q1} @ 0–10 on 1',
  ]);
});

test('with half of four slots demanded, one ready request waits 5 ms for company, two do not', () => {
  const options = { maxBatchSize: 4, minimumSlotUtilization: 0.5, maxQueueDelay: '5ms' };
  expect(sequence(options, [turn('p1', 0, 'p+')])).toEqual(['{p1} @ 5–15 on 0']);
  expect(sequence(options, [turn('p1', 0, 'p+'), turn('q1', 2, 'q+')])).toEqual(['{p1,q1} @ 2–12 on 0']);
});

test('a client may start anew while the end of its former sequence still waits', () => {
  const arrivals = [turn('x', 0, 'x+-'), turn('p1', 1, 'p+-'), turn('p2', 1, 'p+'), turn('p3', 2, 'p-')];
  expect(sequence({}, arrivals)).toEqual([
    '{x} @ 0–10 on 0',
    '{p1} @ 10–20 on 0',
    '{p2} @ 20–30 on 0',
    '{p3} @ 30–40 on 0',
  ]);
});

test('a sequence of which nothing is left after a cancellation gives up its place, in the backlog or in a slot', () => {
  const instances = instanceList(1);
  const strategy = createStrategy(
    'triton-sequence',
    {},
    strategyContext(instances, costModel(instances, { cost: [[1, MS]] })),
  );
  const [p1, p2, q1, r1] = [turn('p1', 0, 'p+'), turn('p2', 0, 'p-'), turn('q1', 0, 'q+'), turn('r1', 0, 'r+-')].map(
    (request) => ({ ...request, rows: 1 }),
  );
  for (const request of [p1, p2, q1, r1]) strategy.offer(request!, 0);
  expect(strategy.poll(0)).toMatchObject({ requests: [p1] });
  expect(strategy.cancel(q1!, 0)).toBe(true);
  expect(strategy.cancel(p2!, 0)).toBe(true);
  expect(strategy.waiting()).toBe(1);
  strategy.finished({ kind: 'execute', instance: 0, requests: [p1!], rows: 1 }, MS);
  expect(strategy.poll(MS)).toMatchObject({ requests: [r1] });
  expect(strategy.offer({ ...q1!, start: false }, MS)).toBe('no-sequence');
});
