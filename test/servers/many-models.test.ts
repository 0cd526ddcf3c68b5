import { afterEach, describe, expect, test } from 'vitest';
import { nowNs } from '../../results/clock.js';
import type { InferOutcome } from '../../servers/protocol/service.js';
import { type RunningServer, startServer } from '../../servers/server.js';
import type { ServedModelSpec } from '../../servers/spec.js';

const open: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

describe('a server of several models', () => {
  test('answers for each with its own strategy, and lists all of them', async () => {
    const server = await start([named('a'), named('b', batching), named('c')]);
    const together = await Promise.all([
      infer(server, 'a'),
      infer(server, 'b'),
      infer(server, 'b'),
      infer(server, 'c'),
    ]);
    expect(together.map((outcome) => outcome.ok)).toEqual([true, true, true, true]);
    expect(together.map((outcome) => outcome.timings!.batchSize)).toEqual([1, 2, 2, 1]);
    expect(new Set(together.map((outcome) => outcome.timings!.executionId)).size).toBe(3);
    expect(server.service.modelStatistics().map(({ name, inference_count }) => [name, inference_count])).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 1],
    ]);
    expect(server.service.modelConfig('b').max_batch_size).toBe(4);
    expect(server.usage().instances.map(({ model }) => model)).toEqual(['a', 'b', 'c']);
  });

  test('has several versions of one: a request that names none goes to the highest number', async () => {
    const server = await start([
      named('a'),
      { ...named('a'), modelVersion: '10' },
      { ...named('a'), modelVersion: '9' },
    ]);
    expect(await versionOf(infer(server, 'a'))).toBe('10');
    expect(await versionOf(infer(server, 'a', '9'))).toBe('9');
    expect(server.service.modelMetadata('a').versions).toEqual(['1', '9', '10']);
    expect(server.service.modelStatistics('a').map(({ version }) => version)).toEqual(['1', '9', '10']);
    expect(server.service.modelStatistics('a', '9')).toHaveLength(1);
    expect(await failure(infer(server, 'a', '2'))).toBe('model "a" has no version "2"; expected "1", "9", "10"');
    expect(await failure(infer(server, 'd'))).toBe('unknown model "d"; this server has "a"');
  });

  test('is refused whole where two are the same or one is wrong, and nothing keeps running', async () => {
    await expect(start([named('a'), named('a')])).rejects.toThrow('two models are "a", version 1');
    await expect(start([named('a'), named('b', { name: 'magic' })])).rejects.toThrow('there is no strategy "magic"');
  });

  test('of those that share a resource one runs at a time, and priority 2 has one turn for two of priority 1', async () => {
    const holding = (modelName: string, priority: number): ServedModelSpec => {
      const instances = [{ priority, resources: { device: 1 } }];
      const rateLimiter = { resources: { device: 1 }, instances, serverWide: true };
      const model = { runtime: 'synthetic', options: { cost: [[1, '3ms']] } };
      return { model, modelName, strategy: { name: 'instance-group', options: { rateLimiter } } };
    };
    const server = await start([holding('a', 1), holding('b', 2), named('c')]);
    const order: string[] = [];
    const spans: (readonly [from: number, to: number])[] = [];
    const ask = async (model: string) => {
      const { timings } = await infer(server, model);
      order.push(model);
      const from = timings!.arrivalNs! + timings!.queueNs;
      spans.push([from, from + timings!.computeInferNs]);
    };
    await Promise.all(['b', 'b', 'a', 'a', 'a', 'a'].map(ask));
    expect(order.join('')).toBe('abaaba');
    for (const [i, [from]] of spans.entries()) if (i > 0) expect(from).toBeGreaterThanOrEqual(spans[i - 1]![1]);
    expect((await infer(server, 'c')).ok).toBe(true);
  });

  test('metrics tell them apart', async () => {
    const server = await start([named('a'), named('b')], { rest: { port: 0 } });
    await infer(server, 'b');
    const text = await (await fetch(`${server.addresses.rest}/metrics`)).text();
    expect(text).toContain('nv_inference_count{model="a",version="1"} 0');
    expect(text).toContain('nv_inference_count{model="b",version="1"} 1');
  });
});

const batching = {
  name: 'triton-dynamic',
  options: { maxBatchSize: 4, maxQueueDelay: '50ms', preferredBatchSize: [2] },
};

function named(modelName: string, strategy: ServedModelSpec['strategy'] = { name: 'serial' }): ServedModelSpec {
  return { model: { runtime: 'null' }, modelName, strategy };
}

async function start(
  [first, ...others]: readonly ServedModelSpec[],
  frontends: Record<string, { port: number }> = {},
): Promise<RunningServer> {
  const server = await startServer({ name: 'many', ...first!, others, frontends });
  open.push(server);
  return server;
}

function infer(server: RunningServer, modelName: string, modelVersion?: string): Promise<InferOutcome> {
  const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [1, 4], data: new Uint8Array(16) }];
  return new Promise((done) => server.service.infer({ modelName, modelVersion, inputs }, nowNs(), done));
}

async function versionOf(outcome: Promise<InferOutcome>): Promise<string | undefined> {
  const settled = await outcome;
  return settled.ok ? settled.response.modelVersion : settled.error.message;
}

async function failure(outcome: Promise<InferOutcome>): Promise<string | undefined> {
  const settled = await outcome;
  return settled.ok ? undefined : settled.error.message;
}
