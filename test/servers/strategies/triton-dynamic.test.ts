import { describe, expect, test } from 'vitest';
import { instanceList, strategyContext } from '../../../servers/executors/context.js';
import { costModel } from '../../../servers/executors/cost.js';
import { createStrategy } from '../../../servers/strategies/registry.js';
import { type Arrival, MS, play } from './stage.js';

const triton = (options: Readonly<Record<string, unknown>>, arrivals: readonly Arrival[], more = {}) =>
  play({ strategy: 'triton-dynamic', options, ...more }, arrivals);

describe('triton-dynamic: sizes and delay', () => {
  test('with preferred sizes 4 and 8, six requests at 0 make executions of 4 and 2', () => {
    expect(triton({ maxBatchSize: 8, preferredBatchSize: [4, 8] }, [0, 0, 0, 0, 0, 0])).toEqual([
      '{a,b,c,d} @ 0–10 on 0',
      '{e,f} @ 10–20 on 0',
    ]);
  });

  test('with maxBatchSize 4 and a 2 ms delay, five requests at 0 make executions of 4 and 1, the second when the first ends', () => {
    expect(triton({ maxBatchSize: 4, maxQueueDelay: '2ms' }, [0, 0, 0, 0, 0])).toEqual([
      '{a,b,c,d} @ 0–10 on 0',
      '{e} @ 10–20 on 0',
    ]);
  });

  test('the delay counts from the oldest request that waits', () => {
    const lines = triton({ maxBatchSize: 4, maxQueueDelay: '5ms' }, [0, 1, 2, 12, 13, 14, 15, 16, 30]);
    expect(lines).toEqual(['{a,b,c} @ 5–15 on 0', '{d,e,f,g} @ 15–25 on 0', '{h} @ 25–35 on 0', '{i} @ 35–45 on 0']);
  });

  test('the nanosecond at which the delay is over is soon enough, and the arrival of that nanosecond still joins', () => {
    expect(triton({ maxBatchSize: 4, maxQueueDelay: '5ms' }, [0, 5])).toEqual(['{a,b} @ 5–15 on 0']);
  });

  test('rows 3 and 2 with preferred 4: crossing 4 marks the 3, which leaves at once; the 2 waits for the delay', () => {
    const options = { maxBatchSize: 8, preferredBatchSize: [4], maxQueueDelay: '5ms' };
    const lines = triton(
      options,
      [
        { at: 0, rows: 3 },
        { at: 1, rows: 2 },
      ],
      { instances: 2 },
    );
    expect(lines).toEqual(['{a} @ 1–11 on 0', '{b} @ 6–16 on 1']);
  });

  test('another shape does not join; what was pending does not wait for it', () => {
    const lines = triton({ maxBatchSize: 8, maxQueueDelay: '5ms' }, [
      { at: 0, shapeKey: 'x' },
      { at: 1, shapeKey: 'y' },
    ]);
    expect(lines).toEqual(['{a} @ 1–11 on 0', '{b} @ 11–21 on 0']);
  });

  test('a request larger than a batch is refused on arrival', () => {
    expect(triton({ maxBatchSize: 4 }, [{ at: 3, rows: 5 }])).toEqual(['a rejected @ 3: batch-too-large']);
  });
});

describe('triton-dynamic: queue policies', () => {
  const timeout = (policy: object, more: object = {}) => ({
    defaultQueuePolicy: { defaultTimeout: '5ms', ...policy },
    ...more,
  });

  test('a request that expired while the instance was busy is rejected when the instance looks at the queue', () => {
    expect(triton(timeout({}), [0, 1])).toEqual(['{a} @ 0–10 on 0', 'b rejected @ 10: timeout']);
  });

  test('a request expires after its last nanosecond, not at it', () => {
    expect(triton(timeout({}), [0, 5])).toEqual(['{a} @ 0–10 on 0', '{b} @ 10–20 on 0']);
  });

  test('with timeoutAction delay it runs after those that have not expired', () => {
    expect(triton(timeout({ timeoutAction: 'delay' }), [0, 1, 6])).toEqual([
      '{a} @ 0–10 on 0',
      '{c} @ 10–20 on 0',
      '{b} @ 20–30 on 0',
    ]);
  });

  test('a batch that is held back is looked at one nanosecond after the first expiry in it', () => {
    const options = timeout({ defaultTimeout: '3ms' }, { maxBatchSize: 4, maxQueueDelay: '8ms' });
    expect(triton(options, [0])).toEqual([`a rejected @ ${(3 * MS + 1) / MS}: timeout`]);
  });

  test('a sweep of 4 ms, counted from the beginning of the wait at 1, finds at 9 what expired at 6', () => {
    expect(triton(timeout({}, { expirySweep: '4ms' }), [0, 1])).toEqual(['{a} @ 0–10 on 0', 'b rejected @ 9: timeout']);
  });

  test('a request may shorten its timeout but not lengthen it', () => {
    const arrivals = [0, { at: 4, timeoutNs: 50 * MS }, { at: 6, timeoutNs: 2 * MS }, 6];
    expect(triton(timeout({ allowTimeoutOverride: true }), arrivals)).toEqual([
      '{a} @ 0–10 on 0',
      'b rejected @ 10: timeout',
      'c rejected @ 10: timeout',
      '{d} @ 10–20 on 0',
    ]);
  });

  test('the queue limit counts what has expired until somebody looks', () => {
    expect(triton(timeout({ maxQueueSize: 1 }), [0, 1, 9])).toEqual([
      '{a} @ 0–10 on 0',
      'c rejected @ 9: queue-full',
      'b rejected @ 10: timeout',
    ]);
  });

  test('priority 1 goes before 2; 0 and unknown priorities are the default level', () => {
    const options = { priorityLevels: 2, defaultPriorityLevel: 2 };
    const arrivals = [0, 1, 9, 1].map((priority, i) => ({ at: i, priority }));
    expect(triton(options, arrivals)).toEqual([
      '{a} @ 0–10 on 0',
      '{b} @ 10–20 on 0',
      '{d} @ 20–30 on 0',
      '{c} @ 30–40 on 0',
    ]);
  });
});

describe('triton-dynamic: order of answers', () => {
  test('with preserveOrdering a fast instance waits for the slow one that began before it', () => {
    const instances = [{ speed: 1 }, { speed: 0.25 }];
    const lines = triton({ preserveOrdering: true }, [0, 1, 4], { instances, costMs: 12 });
    expect(lines).toEqual([
      '{a} @ 0–12 on 0',
      '{b} @ 1–4 on 1',
      '{c} @ 4–7 on 1',
      'a answered @ 12',
      'b answered @ 12',
      'c answered @ 12',
    ]);
  });

  test('requests of an instance that failed are not answered again', () => {
    const instances = instanceList(2);
    const context = strategyContext(instances, costModel(instances, {}));
    const strategy = createStrategy('triton-dynamic', { preserveOrdering: true }, context);
    for (const id of ['a', 'b']) strategy.offer({ id, at: 0, rows: 1 }, 0);
    const [first, second] = [strategy.poll(0), strategy.poll(0)];
    if (first?.kind !== 'execute' || second?.kind !== 'execute') throw new Error('two executions start');
    strategy.finished(second, 5);
    expect(strategy.poll(5)).toBeUndefined();
    strategy.finished(first, 6, false);
    expect(strategy.poll(6)).toMatchObject({ kind: 'respond', request: { id: 'b' } });
    expect(strategy.poll(6)).toBeUndefined();
  });
});

describe('triton-dynamic: options', () => {
  const refuse = (options: object) => () => triton({ ...options }, []);

  test('names everything that contradicts itself', () => {
    expect(refuse({ maxBatchSize: 4, preferredBatchSize: [2, 8] })).toThrow(
      /preferredBatchSize\.1: 8 exceeds maxBatchSize 4/,
    );
    expect(refuse({ priorityLevels: 2 })).toThrow(/defaultPriorityLevel: is required/);
    expect(refuse({ priorityLevels: 2, defaultPriorityLevel: 3 })).toThrow(/defaultPriorityLevel: 3 is no level/);
    expect(refuse({ priorityQueuePolicy: { '1': {} } })).toThrow(/priorityQueuePolicy\.1/);
    expect(refuse({ maxBatchSize: 0 })).toThrow(/maxBatchSize/);
  });

  test('reads durations with units', () => {
    expect(triton({ maxBatchSize: 2, maxQueueDelay: '1500us' }, [0])).toEqual(['{a} @ 1.5–11.5 on 0']);
  });
});
