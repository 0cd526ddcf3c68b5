import { expect, test } from 'vitest';
import { Bench, named } from '../../fakes/executor-bench.js';
import { STAGED_METADATA } from '../../fakes/instance.js';

const MS = 1e6;
const BE = { class: 'be' } as const;
const RT = { class: 'rt' } as const;

/** reef-stage over a model of four stages and 24 ms. */
function reef(options: Readonly<Record<string, unknown>>): Bench {
  return new Bench(named('reef-stage', options, 1, [[1, 24 * MS]]), 1, { metadata: STAGED_METADATA });
}

test('stage by stage: a real-time request comes in between, and both get their own answers', () => {
  const bench = reef({ stages: 4 });
  const { clock, instance } = bench;
  bench.send(1, [10], BE);
  clock.turn();
  bench.send(2, [20], RT);
  clock.turn();
  const begin = () => instance.batches.map(({ stages }) => stages);
  expect(begin()).toEqual([[0, 1]]);
  for (let i = 0; i < 5; i++) instance.finish();
  expect(begin()).toEqual([[0, 1], undefined, [1, 2], [2, 3], [3, 4]]);
  expect(bench.values()).toEqual([[20], [10]]);
});

test('the stamps of a request in stages add up: 3 stages of 6 ms, 5 ms of another’s in between', () => {
  const bench = reef({ stages: 4, mode: 'wait', depth: 2 });
  const { clock, instance } = bench;
  bench.send(1, [10], BE);
  clock.turn();
  clock.advance(2 * MS);
  bench.send(2, [20], RT);
  clock.turn();
  clock.advance(10 * MS);
  instance.finish();
  clock.advance(5 * MS);
  instance.finish();
  clock.advance(13 * MS);
  instance.finish();
  expect(bench.timings(0)).toMatchObject({ queueNs: 10 * MS, computeInferNs: 5 * MS });
  expect(bench.timings(1)).toMatchObject({ queueNs: 5 * MS, computeInferNs: 25 * MS, executionId: 3 });
  const { inference_count, execution_count, servemark_parts } = bench.statistics.snapshot();
  expect([inference_count, execution_count]).toEqual([2, 2]);
  expect(servemark_parts).toEqual([
    { name: 'executions of stages', unit: 'count', count: 1, total: 2 },
    { name: 'kills', unit: 'count', count: 1, total: 0 },
  ]);
});

test('a killed request goes on from the last stage that was reported, with the values that were', () => {
  const bench = reef({ stages: 4, mode: 'kill' });
  const { clock, instance } = bench;
  bench.send(1, [10], BE);
  clock.turn();
  expect(instance.batches[0]).toMatchObject({ stages: [0, 4], checkpoints: true });
  instance.pass(1);
  instance.pass(2);
  clock.advance(7 * MS);
  bench.send(2, [20], RT);
  clock.turn();
  expect(instance.kills).toBe(1);
  instance.finish();
  // The profile expects one stage in 7 ms; two were told.
  expect(instance.batches.map(({ stages }) => stages)).toEqual([[0, 4], undefined, [2, 4]]);
  instance.finish();
  expect(bench.values()).toEqual([[20], [10]]);
  expect(bench.statistics.snapshot().servemark_parts).toContainEqual({
    name: 'kills',
    unit: 'count',
    count: 1,
    total: 1,
  });
});

test('killed before any stage was reported it begins anew', () => {
  const bench = reef({ stages: 4, mode: 'kill' });
  bench.send(1, [10], BE);
  bench.clock.turn();
  bench.clock.advance(20 * MS);
  bench.send(2, [20], RT);
  bench.clock.turn();
  bench.instance.finish();
  bench.instance.finish();
  expect(bench.instance.batches.map(({ stages }) => stages)).toEqual([[0, 4], undefined, [0, 4]]);
  expect(bench.values()).toEqual([[20], [10]]);
});

test('mode none runs the model whole, cut or not', () => {
  const bench = reef({ stages: 8, mode: 'none' });
  bench.send(1, [10], BE);
  bench.clock.turn();
  expect(bench.instance.batches[0]!.stages).toBeUndefined();
  bench.instance.finish();
  expect(bench.values()).toEqual([[10]]);
});
