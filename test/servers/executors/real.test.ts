import { describe, expect, test } from 'vitest';
import { Bench, named } from '../../fakes/executor-bench.js';
import { ScriptedStrategy } from '../../fakes/strategy.js';

const MS = 1e6;

describe('real executor', () => {
  test('requests read in one turn of the event loop are all offered before any is dispatched', () => {
    const bench = new Bench(named('triton-dynamic', { maxBatchSize: 4 }));
    bench.send(1);
    bench.send(2);
    bench.send(3);
    expect(bench.instance.batches).toHaveLength(0);
    bench.clock.turn();
    expect(bench.instance.batches.map((batch) => batch.rows)).toEqual([3]);
  });

  test('each request of a batch gets its own rows, in order', () => {
    const bench = new Bench(named('triton-dynamic', { maxBatchSize: 8 }));
    bench.send(1, [10]);
    bench.send(2, [20, 21]);
    bench.send(3, [30]);
    bench.clock.turn();
    bench.instance.finish();
    expect(bench.values()).toEqual([[10], [20, 21], [30]]);
  });

  test('a strategy that counts every request as one row computes, splits and reports all of their rows', () => {
    const bench = new Bench(named('clipper-estimator', { slo: '1s', minSamples: 1 }));
    bench.send(1, [10, 11, 12]);
    bench.send(2, [20, 21]);
    bench.send(3, [30]);
    bench.clock.turn();
    for (let i = 0; i < 2; i++) {
      bench.clock.advance(5 * MS);
      bench.instance.finish();
    }
    expect(bench.instance.batches.map((batch) => batch.rows)).toEqual([3, 3]);
    expect(bench.values()).toEqual([[10, 11, 12], [20, 21], [30]]);
    expect(bench.timings(2).batchSize).toBe(3);
    expect(bench.statistics.snapshot()).toMatchObject({ inference_count: 6, execution_count: 2 });
  });

  test('a request is told that its inputs are copied when its batch is formed, under a strategy that executes once only', () => {
    for (const executesOnce of [true, false]) {
      const bench = new Bench(named('triton-dynamic', { maxBatchSize: 4 }), 1, { executesOnce });
      bench.send(1);
      bench.clock.turn();
      bench.send(2);
      bench.clock.turn();
      expect(bench.consumed).toEqual(executesOnce ? [1] : []);
      bench.instance.finish();
      expect(bench.consumed).toEqual(executesOnce ? [1, 2] : []);
    }
  });

  test('with maxBatchSize 4 and a 2 ms delay five requests make executions of 4 at once and of 1 when it is free', () => {
    const bench = new Bench(named('triton-dynamic', { maxBatchSize: 4, maxQueueDelay: '2ms' }));
    for (let id = 1; id <= 5; id++) bench.send(id);
    bench.clock.turn();
    expect(bench.instance.batches.map((batch) => batch.rows)).toEqual([4]);
    bench.clock.advance(1 * MS);
    bench.instance.finish();
    expect(bench.instance.batches).toHaveLength(1);
    bench.clock.advance(1 * MS);
    expect(bench.instance.batches.map((batch) => batch.rows)).toEqual([4, 1]);
  });

  test('the stamps of a request add up: 3 ms queue, 7 ms infer, and counts from its first byte', () => {
    const bench = new Bench(named('serial'));
    bench.send(1);
    bench.send(2);
    bench.clock.turn();
    bench.clock.advance(3 * MS);
    bench.instance.finish();
    bench.clock.advance(7 * MS);
    bench.instance.finish();
    expect(bench.timings(1)).toMatchObject({ queueNs: 3 * MS, computeInferNs: 7 * MS, batchSize: 1, executionId: 2 });
    expect(bench.timings(1).receiveNs).toBe(1000);
    expect(bench.timings(1).arrivalNs! - bench.timings(0).arrivalNs!).toBe(0);
  });

  test('statistics obey their identities', () => {
    const bench = new Bench(named('triton-dynamic', { maxBatchSize: 4 }));
    for (let id = 1; id <= 10; id++) bench.send(id);
    bench.clock.turn();
    for (let i = 0; i < 3; i++) {
      bench.clock.advance(5 * MS);
      bench.instance.finish();
    }
    const { inference_stats: stats, batch_stats, inference_count, execution_count } = bench.statistics.snapshot();
    expect([inference_count, execution_count]).toEqual([10, 3]);
    expect(sum(batch_stats.map((batch) => batch.compute_infer.count))).toBe(execution_count);
    expect(sum(batch_stats.map((batch) => batch.batch_size * batch.compute_infer.count))).toBe(inference_count);
    const parts = stats.queue.ns + stats.compute_input.ns + stats.compute_infer.ns + stats.compute_output.ns;
    expect(stats.success.ns).toBe(parts);
    // 4 × 5 ms + 4 × 10 ms + 2 × 15 ms
    expect(stats.success.ns).toBe(90 * MS);
  });

  test('the instance gets its next work before the last answers are given', () => {
    const bench = new Bench(named('serial'));
    bench.send(1);
    bench.send(2);
    bench.clock.turn();
    let batchesAtAnswer = 0;
    bench.onAnswer = () => {
      batchesAtAnswer ||= bench.instance.batches.length;
    };
    bench.instance.finish();
    expect(batchesAtAnswer).toBe(2);
  });

  test('two instances run at once; a third request waits for the first that is free', () => {
    const bench = new Bench(named('instance-group', {}, 2), 2);
    for (let id = 1; id <= 3; id++) bench.send(id);
    bench.clock.turn();
    expect(bench.instances.map((instance) => instance.pending())).toEqual([1, 1]);
    bench.instances[1]!.finish();
    expect(bench.values()).toEqual([[2]]);
    expect(bench.instances.map((instance) => instance.batches.length)).toEqual([1, 2]);
  });

  test('a full queue refuses at once with UNAVAILABLE', () => {
    const bench = new Bench(named('serial', { maxQueueSize: 1 }));
    bench.send(1);
    bench.clock.turn();
    bench.send(2);
    bench.send(3);
    expect(bench.errors()).toEqual([['UNAVAILABLE', 'queue-full']]);
    expect(bench.statistics.snapshot().inference_stats.fail.count).toBe(1);
  });

  test('a request that waits past its timeout is rejected as Triton does', () => {
    const policy = { defaultTimeout: '4ms', timeoutAction: 'reject' };
    const bench = new Bench(named('triton-dynamic', { defaultQueuePolicy: policy }));
    bench.send(1);
    bench.clock.turn();
    bench.send(2);
    bench.clock.turn();
    bench.clock.advance(5 * MS);
    bench.instance.finish();
    expect(bench.errors()).toEqual([['UNAVAILABLE', 'timeout']]);
    expect(bench.values()).toEqual([[1]]);
  });

  test('a cancelled request that waits is never executed; one that runs is ignored when it ends', () => {
    const bench = new Bench(named('serial'));
    const first = bench.send(1);
    const second = bench.send(2);
    bench.send(3);
    bench.clock.turn();
    second.cancel();
    first.cancel();
    bench.instance.finish();
    bench.instance.finish();
    expect(bench.values()).toEqual([[3]]);
    expect(bench.instance.batches).toHaveLength(2);
    expect(bench.executor.outstanding()).toBe(0);
  });

  test('held results wait for `respond`', () => {
    const script = new ScriptedStrategy();
    const bench = new Bench(script);
    bench.send(1);
    bench.send(2);
    const [, second] = script.offered;
    script.actions.push(script.take(2, { hold: true }));
    bench.clock.turn();
    bench.instance.finish();
    expect(bench.values()).toEqual([]);
    script.actions.push({ kind: 'respond', request: second!, source: 'execution' });
    bench.send(3);
    bench.clock.turn();
    expect(bench.values()).toEqual([[2]]);
  });

  test('an answer from the cache is what the execution of the same key gave', () => {
    const script = new ScriptedStrategy();
    const bench = new Bench(script);
    bench.send(7, [42], { key: 'k' });
    script.actions.push(script.take(1));
    bench.clock.turn();
    bench.instance.finish();
    bench.send(8, [0], { key: 'k' });
    script.actions.push({ kind: 'respond', request: script.offered[0]!, source: 'cache' });
    bench.clock.turn();
    expect(bench.values()).toEqual([[42], [42]]);
    expect(bench.timings(1).batchSize).toBe(0);
    expect(bench.statistics.snapshot().inference_stats.cache_hit.count).toBe(1);
  });

  test('a default answer is zeros', () => {
    const script = new ScriptedStrategy();
    const bench = new Bench(script);
    bench.send(1, [5, 6]);
    script.actions.push({ kind: 'respond', request: script.offered[0]!, source: 'default' });
    bench.clock.turn();
    expect(bench.values()).toEqual([[0, 0]]);
  });

  test('a dead worker fails its requests at once, and counts as busy until it is back', () => {
    const script = new ScriptedStrategy();
    const bench = new Bench(script);
    bench.send(1);
    script.actions.push(script.take(1));
    bench.clock.turn();
    bench.instance.die();
    expect(bench.errors()).toEqual([['UNAVAILABLE', 'worker-died']]);
    expect(script.log).toEqual(['offer 1 at 0']);
    bench.clock.advance(100 * MS);
    bench.instance.comeBack();
    expect(script.log.at(-1)).toBe(`finished 1 at ${100 * MS} failed`);
  });

  test('an execution that throws fails its own requests only', () => {
    const bench = new Bench(named('serial'));
    bench.send(1);
    bench.send(2);
    bench.clock.turn();
    bench.instance.fail('bad luck');
    bench.instance.finish();
    expect(bench.errors()).toEqual([['INTERNAL', 'execution-failed']]);
    expect(bench.values()).toEqual([[2]]);
  });

  test('a killed execution answers nobody and is not reported as finished', () => {
    const script = new ScriptedStrategy();
    const bench = new Bench(script);
    bench.send(1);
    script.actions.push(script.take(1));
    bench.clock.turn();
    script.actions.push({ kind: 'kill', instance: 0 });
    bench.send(2);
    bench.clock.turn();
    expect(bench.instance.kills).toBe(1);
    expect(bench.outcomes).toEqual([]);
    expect(script.log).toEqual(['offer 1 at 0', 'offer 2 at 0']);
  });

  test('a shadow execution computes, answers nobody and is not counted', () => {
    const script = new ScriptedStrategy();
    const bench = new Bench(script);
    bench.send(1);
    script.actions.push(script.take(1, { shadow: true }));
    bench.clock.turn();
    bench.instance.finish();
    expect(bench.outcomes).toEqual([]);
    expect(script.log.at(-1)).toBe('finished 1 at 0');
    expect(bench.statistics.snapshot().execution_count).toBe(0);
  });

  test('padded rows are computed and belong to nobody', () => {
    const script = new ScriptedStrategy();
    const bench = new Bench(script);
    bench.send(1, [5]);
    script.actions.push(script.take(1, { paddedRows: 4 }));
    bench.clock.turn();
    expect(bench.instance.batches[0]!.inputs[0]!.shape).toEqual([4, 2]);
    bench.instance.finish();
    expect(bench.values()).toEqual([[5]]);
  });

  test('draining waits for the last answer', async () => {
    const bench = new Bench(named('serial'));
    bench.send(1);
    bench.clock.turn();
    let drained = false;
    const waiting = bench.executor.drained().then(() => {
      drained = true;
    });
    expect(drained).toBe(false);
    bench.instance.finish();
    await waiting;
    expect(drained).toBe(true);
  });
});

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
