import { expect, test } from 'vitest';
import { instanceList, strategyContext } from '../../../servers/executors/context.js';
import { costModel } from '../../../servers/executors/cost.js';
import { createStrategy } from '../../../servers/strategies/registry.js';
import { tritonEnsemble } from '../../../servers/strategies/triton-ensemble.js';
import { type Arrival, MS, play } from './stage.js';

const costs = { pre: [[1, 2 * MS]], net: [[1, 10 * MS]] } as const;
const diamond = {
  steps: [
    { name: 'pre', model: 'pre' },
    { name: 'det', model: 'net', after: ['pre'] },
    { name: 'rec', model: 'net', after: ['pre'] },
    { name: 'post', model: 'pre', after: ['det', 'rec'] },
  ],
  models: { pre: { instances: [0] }, net: { instances: [1, 2] } },
};
const chain = {
  steps: [
    { name: 'one', model: 'pre' },
    { name: 'two', model: 'net', after: ['one'] },
  ],
};
const ensemble = (options: Readonly<Record<string, unknown>>, arrivals: readonly Arrival[]) =>
  play({ strategy: 'triton-ensemble', options, costs, instances: 3 }, arrivals);

test('a diamond: 2 ms, twice 10 ms side by side, 2 ms; answered at 14', () => {
  expect(ensemble(diamond, [0])).toEqual([
    '{a/pre} @ 0–2 on 0',
    '{a/det} @ 2–12 on 1',
    '{a/rec} @ 2–12 on 2',
    '{a/post} @ 12–14 on 0',
    'a answered @ 14',
  ]);
});

test('a composing model batches what its own strategy batches, over requests', () => {
  const strategy = { name: 'triton-dynamic', options: { maxBatchSize: 4, maxQueueDelay: '5ms' } };
  const models = { pre: { instances: [0] }, net: { instances: [1], strategy } };
  expect(ensemble({ ...chain, models }, [0, 0])).toEqual([
    '{a/one} @ 0–2 on 0',
    '{b/one} @ 2–4 on 0',
    '{a/two,b/two} @ 7–17 on 1',
    'a answered @ 17',
    'b answered @ 17',
  ]);
});

test('with one request in flight the second waits at the door until the first is answered', () => {
  const models = { pre: { instances: [0] }, net: { instances: [1] } };
  expect(ensemble({ ...chain, models, maxInflightRequests: 1 }, [0, 1])).toEqual([
    '{a/one} @ 0–2 on 0',
    '{a/two} @ 2–12 on 1',
    'a answered @ 12',
    '{b/one} @ 12–14 on 0',
    '{b/two} @ 14–24 on 1',
    'b answered @ 24',
  ]);
});

test('a step that its model refuses rejects the request, once; a sibling that runs goes on and is ignored', () => {
  const steps = ['l', 'r'].map((name) => ({ name, model: name === 'l' ? 'pre' : 'net' }));
  const strategy = { name: 'instance-group', options: { maxQueueSize: 1 } };
  const models = { pre: { instances: [0] }, net: { instances: [1], strategy } };
  expect(ensemble({ steps, models }, [0, 1, 2])).toEqual([
    '{a/l} @ 0–2 on 0',
    '{a/r} @ 0–10 on 1',
    '{b/l} @ 2–4 on 0',
    'c rejected @ 2: queue-full',
    '{c/l} @ 4–6 on 0',
    'a answered @ 10',
    '{b/r} @ 10–20 on 1',
    'b answered @ 20',
  ]);
});

test('a step that times out in its model rejects the request', () => {
  const policy = { defaultTimeout: '3ms' };
  const strategy = { name: 'triton-dynamic', options: { maxBatchSize: 1, defaultQueuePolicy: policy } };
  const models = { pre: { instances: [0] }, net: { instances: [1], strategy } };
  expect(ensemble({ ...chain, models }, [0, 0])).toContain('b rejected @ 12: timeout');
});

test('a model that answers in order, late, hands on late', () => {
  // Of net's two instances the second is faster, but b waits for a.
  const strategy = { name: 'triton-dynamic', options: { preserveOrdering: true } };
  const models = { net: { instances: [1, 2], strategy }, pre: { instances: [0] } };
  const steps = [
    { name: 'one', model: 'net' },
    { name: 'two', model: 'pre', after: ['one'] },
  ];
  const stage = { strategy: 'triton-ensemble', options: { steps, models }, costs, instances: [{}, { speed: 2 }, {}] };
  expect(play(stage, [0, 0]).slice(2)).toEqual([
    '{a/two} @ 20–22 on 0',
    'a answered @ 22',
    '{b/two} @ 22–24 on 0',
    'b answered @ 24',
  ]);
});

test('an answer in order comes before the next batch of its model, which takes what follows from it', () => {
  const strategy = { name: 'triton-dynamic', options: { maxBatchSize: 4, preserveOrdering: true } };
  const models = { net: { instances: [0], strategy } };
  const steps = [
    { name: 'one', model: 'net' },
    { name: 'two', model: 'net', after: ['one'] },
  ];
  expect(ensemble({ steps, models }, [0, 5])).toEqual([
    '{a/one} @ 0–10 on 0',
    '{b/one,a/two} @ 10–20 on 0',
    '{b/two} @ 20–30 on 0',
    'a answered @ 20',
    'b answered @ 30',
  ]);
});

test('a model that executes in stages is done with its step when the last one ends', () => {
  const strategy = { name: 'prediction-cache', options: { capacity: 1, inner: { name: 'reef-stage' } } };
  const models = { pre: { instances: [0], strategy } };
  const steps = [{ name: 'only', model: 'pre' }];
  expect(ensemble({ steps, models }, [0])).toEqual([
    ...['0–0.5', '0.5–1', '1–1.5', '1.5–2'].map((times) => `{a/only} @ ${times} on 0`),
    'a answered @ 2',
  ]);
});

test('an instance that fails fails the request; one that has not begun can be cancelled', () => {
  const instances = instanceList(2);
  const context = strategyContext(instances, costModel(instances, { costs }));
  const models = { pre: { instances: [0] }, net: { instances: [1] } };
  const strategy = createStrategy('triton-ensemble', { ...chain, models, maxInflightRequests: 2 }, context);
  const [a, b, c] = ['a', 'b', 'c'].map((id) => ({ id, at: 0, rows: 1 }));
  for (const request of [a, b, c]) strategy.offer(request!, 0);
  const running = strategy.poll(0);
  expect(running).toMatchObject({ instance: 0, model: 'pre', hold: true });
  expect(strategy.poll(0)).toBeUndefined();
  expect(strategy.waiting()).toBe(2);
  expect([a, b, c].map((request) => strategy.cancel(request!, 0))).toEqual([false, true, true]);
  expect(strategy.waiting()).toBe(0);
  if (running?.kind === 'execute') strategy.finished(running, MS, false);
  expect(strategy.poll(MS)).toEqual({ kind: 'reject', request: a, reason: 'execution-failed' });
  expect(strategy.poll(MS)).toBeUndefined();
});

test.each([
  [{ steps: [{ name: 'a', model: 'x' }] }, 'there is no model "x"; allowed: m'],
  [{ steps: [{ name: 'a', model: 'm', after: ['z'] }] }, 'there is no step "z"; allowed: a'],
  [{ steps: ['a', 'a'].map((name) => ({ name, model: 'm' })) }, '"a" names two steps'],
  [
    {
      steps: [
        { name: 'a', model: 'm', after: ['b'] },
        { name: 'b', model: 'm', after: ['a'] },
        { name: 'c', model: 'm' },
      ],
    },
    'a, b wait for each other',
  ],
  [
    { steps: [{ name: 'a', model: 'm' }], models: { m: { instances: [0] }, n: { instances: [0] } } },
    'instance 0 already runs "m"',
  ],
])('an ensemble that can not be is refused: %j', (options, message) => {
  const parsed = tritonEnsemble.options.safeParse({ models: { m: { instances: [0] } }, ...options });
  expect(parsed.error?.issues.map((issue) => issue.message)).toContain(message);
});

test('an instance that does not exist is refused with what to do', () => {
  const models = { pre: { instances: [0] }, net: { instances: [7] } };
  expect(() => ensemble({ ...chain, models }, [])).toThrow(
    /models\.net\.instances: there is no instance 7.*8 instances/,
  );
});
