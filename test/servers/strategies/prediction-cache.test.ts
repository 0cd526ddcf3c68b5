import { expect, test } from 'vitest';
import { instanceList, strategyContext } from '../../../servers/executors/context.js';
import { costModel } from '../../../servers/executors/cost.js';
import type { Execute } from '../../../servers/strategies/contract.js';
import { createStrategy } from '../../../servers/strategies/registry.js';
import { ClockCache } from '../../../servers/strategies/support/clock-cache.js';
import { LruCache } from '../../../servers/strategies/support/lru-cache.js';
import { type Arrival, MS, play } from './stage.js';

const k = (at: number, key = 'k') => ({ at, key });
const cached = (options: Readonly<Record<string, unknown>>, arrivals: readonly Arrival[]) =>
  play({ strategy: 'prediction-cache', options: { capacity: 10, ...options } }, arrivals);

test('four equal requests in flight make one execution, and the fifth, later, none', () => {
  expect(cached({}, [k(0), k(1), k(2), k(3), k(12)])).toEqual([
    '{a} @ 0–10 on 0',
    'b answered @ 10',
    'c answered @ 10',
    'd answered @ 10',
    'e answered @ 12',
  ]);
});

test('without coalescing every request before the first answer executes', () => {
  const lines = cached({ coalesce: false, policy: 'lru' }, [k(0), k(1), k(12)]);
  expect(lines).toEqual(['{a} @ 0–10 on 0', '{b} @ 10–20 on 0', 'c answered @ 12']);
});

test('requests without a key pass, and a capacity of 0 keeps nothing', () => {
  const lines = cached({ capacity: 0 }, [0, 0, k(20), k(40)]);
  expect(lines).toEqual(['{a} @ 0–10 on 0', '{b} @ 10–20 on 0', '{c} @ 20–30 on 0', '{d} @ 40–50 on 0']);
});

test('what the inner strategy refuses is refused; what it rejects later is rejected for all who joined', () => {
  const policy = { defaultTimeout: '5ms', maxQueueSize: 1 };
  const inner = { name: 'triton-dynamic', options: { defaultQueuePolicy: policy } };
  expect(cached({ inner }, [k(0, 'x'), k(1, 'y'), k(2, 'y'), k(3, 'z')])).toEqual([
    '{a} @ 0–10 on 0',
    'd rejected @ 3: queue-full',
    'b rejected @ 10: timeout',
    'c rejected @ 10: timeout',
  ]);
});

test('an execution in stages is an answer only when the last stage ends', () => {
  const inner = { name: 'reef-stage', options: { stages: 2 } };
  expect(cached({ inner }, [k(0), k(1)])).toEqual(['{a} @ 0–5 on 0', '{a} @ 5–10 on 0', 'b answered @ 10']);
});

test('when an instance fails, those who joined are rejected, and nothing is kept', () => {
  const { strategy, requests } = machine(['x', 'x']);
  const [a, b] = requests;
  for (const request of requests) strategy.offer(request, 0);
  strategy.finished(strategy.poll(0) as Execute, MS, false);
  expect(strategy.poll(MS)).toEqual({ kind: 'reject', request: b, reason: 'execution-failed' });
  expect(strategy.offer(a!, 2 * MS)).toBeUndefined();
  expect(strategy.poll(2 * MS)).toMatchObject({ kind: 'execute' });
});

test('when the client of a leader goes away, the first who joined takes its place', () => {
  const { strategy, requests } = machine(['x', 'y', 'y', 'y']);
  const [a, b, c, d] = requests;
  for (const request of requests) strategy.offer(request, 0);
  const running = strategy.poll(0) as Execute;
  expect(strategy.waiting()).toBe(3);
  expect([a, b, b].map((request) => strategy.cancel(request!, 0))).toEqual([false, true, false]);
  expect(strategy.waiting()).toBe(2);
  strategy.finished(running, MS);
  const second = strategy.poll(MS) as Execute;
  expect(second.requests).toEqual([c]);
  expect(strategy.cancel(d!, MS)).toBe(true);
  strategy.finished(second, 2 * MS);
  expect(strategy.poll(2 * MS)).toBeUndefined();
});

test('where the inner strategy refuses the one who takes the place, all who joined are rejected', () => {
  // batch-too-large: c has more rows than its leader b.
  const inner = { name: 'triton-dynamic', options: { maxBatchSize: 1 } };
  const { strategy, requests } = machine(['x', 'y', 'y', 'y'], { inner });
  const [a, b, c, d] = requests.map((request, i) => (i === 2 ? { ...request, rows: 2 } : request));
  for (const request of [a, b, c, d]) strategy.offer(request!, 0);
  strategy.poll(0);
  expect(strategy.cancel(b!, 0)).toBe(true);
  expect([strategy.poll(0), strategy.poll(0)]).toEqual(
    [c, d].map((request) => ({ kind: 'reject', request, reason: 'batch-too-large' })),
  );
  expect(strategy.waiting()).toBe(0);
});

test('CLOCK, three slots, a is read: with bit 0 the new key evicts b, with bit 1 the hand goes round and evicts a', () => {
  const evictedBy = (cache: ClockCache) => {
    for (const key of ['a', 'b', 'c']) cache.put(key);
    cache.get('a');
    return cache.put('d');
  };
  expect(evictedBy(new ClockCache(3, 0))).toBe('b');
  expect(evictedBy(new ClockCache(3, 1))).toBe('a');
});

test('CLOCK: putting what is there changes nothing', () => {
  const cache = new ClockCache(2, 0);
  cache.put('a');
  expect(cache.put('a')).toBeUndefined();
  expect(cache.entries()).toEqual([['a', 0]]);
});

test('LRU: reading and writing both count as uses', () => {
  const cache = new LruCache(2);
  for (const key of ['a', 'b', 'a']) cache.put(key);
  expect(cache.put('c')).toBe('b');
  cache.get('a');
  expect(cache.put('d')).toBe('c');
  expect(cache.entries()).toEqual([['a'], ['d']]);
});

function machine(keys: readonly string[], options = {}) {
  const instances = instanceList(1);
  const context = strategyContext(instances, costModel(instances, { cost: [[1, MS]] }));
  const strategy = createStrategy('prediction-cache', { capacity: 4, ...options }, context);
  return { strategy, requests: keys.map((key, i) => ({ id: String(i), at: 0, rows: 1, key })) };
}
