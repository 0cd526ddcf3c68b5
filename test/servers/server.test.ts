import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { nowNs } from '../../results/clock.js';
import { FastRandom } from '../../results/stats/random.js';
import { profileModel } from '../../servers/profile.js';
import type { InferOutcome } from '../../servers/protocol/service.js';
import type { InferRequest, Parameters } from '../../servers/protocol/types.js';
import { type RunningServer, startServer } from '../../servers/server.js';
import type { ServerSpec } from '../../servers/spec.js';
import { linearGraph, writeOnnx } from '../fixtures/onnx-file.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark server '));
const linear = writeOnnx(join(folder, 'linear.onnx'), linearGraph());
const fixed = writeOnnx(join(folder, 'fixed.onnx'), linearGraph(2));
afterAll(() => rmSync(folder, { recursive: true }));

const open: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

describe('a server', () => {
  test('gives every request of a batch what it gives the request alone', async () => {
    const batching = { name: 'triton-dynamic', options: { maxBatchSize: 16, maxQueueDelay: '5ms' } };
    const alone = await start({ model: { zoo: 'fashion-mlp' } });
    const batched = await start({ model: { zoo: 'fashion-mlp' }, strategy: batching });
    const random = new FastRandom(7);
    const requests = [1, 3, 2, 1, 4, 1].map((rows) =>
      inputOf('fashion-mlp', 'x', [rows, 784], () => random.next32() / 2 ** 32),
    );
    const together = await Promise.all(requests.map((request) => infer(batched, request)));
    expect(together.map((outcome) => outcome.timings?.batchSize)).toEqual(new Array(6).fill(12));
    for (const [i, request] of requests.entries()) {
      const single = floats(await infer(alone, request));
      const shared = floats(together[i]!);
      expect(shared).toHaveLength(request.inputs[0]!.shape[0]! * 10);
      for (const [j, value] of shared.entries()) expect(Math.abs(value - single[j]!)).toBeLessThan(1e-4);
    }
  });

  test('refuses a fixed batch for a strategy that batches, and serves it whole for one that does not', async () => {
    const strategy = { name: 'triton-dynamic', options: { maxBatchSize: 8 } };
    await expect(startServer(spec({ model: { path: fixed }, strategy }))).rejects.toThrow(
      'batches of up to 8 rows do not fit input "x" [2,4]',
    );
    const server = await start({ model: { path: fixed } });
    const outcome = await infer(
      server,
      inputOf('fixed', 'x', [2, 4], () => 1),
    );
    expect(floats(outcome)).toEqual([10, 20, 30, 10, 20, 30]);
    expect(server.service.modelConfig('fixed').max_batch_size).toBe(0);
    expect(
      reason(
        await infer(
          server,
          inputOf('fixed', 'x', [1, 4], () => 1),
        ),
      ),
    ).toContain('expected [2,4]');
  });

  test('unknown models and versions are NOT_FOUND, wrong input INVALID_ARGUMENT', async () => {
    const server = await start({ model: { path: linear } });
    const good = inputOf('linear', 'x', [1, 4], () => 1);
    expect(code(await infer(server, { ...good, modelName: 'other' }))).toBe('NOT_FOUND');
    expect(code(await infer(server, { ...good, modelVersion: '2' }))).toBe('NOT_FOUND');
    expect(
      code(
        await infer(
          server,
          inputOf('linear', 'z', [1, 4], () => 1),
        ),
      ),
    ).toBe('INVALID_ARGUMENT');
    expect(reason(await infer(server, { ...good, parameters: { priority: 'high' } }))).toContain(
      'parameter "priority" is "high"',
    );
    expect(server.service.modelStatistics()[0]!.inference_stats.fail.count).toBe(2);
  });

  test('hands Triton’s request parameters to the strategy: of two that wait, the higher priority goes first', async () => {
    const options = { priorityLevels: 2, defaultPriorityLevel: 2 };
    const model = { runtime: 'synthetic', options: { cost: [[1, '10ms']] } };
    const server = await start({ model, strategy: { name: 'triton-dynamic', options } });
    const order: string[] = [];
    const send = async (name: string, parameters?: Parameters) => {
      await infer(server, { ...inputOf('synthetic', 'x', [1, 4], () => 1), parameters });
      order.push(name);
    };
    const first = send('first');
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([first, send('low', { priority: 2n }), send('high', { priority: 1 })]);
    expect(order).toEqual(['first', 'high', 'low']);
  });

  test('stays up when a worker dies: its request fails with a reason, the next one is answered', async () => {
    const model = { runtime: 'synthetic', options: { cost: [[1, 0]], crashOn: 2 } };
    const server = await start({ model, warmUpExecutions: 0 });
    const request = inputOf('synthetic', 'x', [1, 4], () => 3);
    expect((await infer(server, request)).ok).toBe(true);
    const failed = await infer(server, request);
    expect(code(failed)).toBe('UNAVAILABLE');
    expect(reason(failed)).toContain('died (exit code 70)');
    expect(floats(await infer(server, request))).toEqual([3]);
    expect(server.service.ready()).toBe(true);
  });

  test('with the null runtime it answers without a worker', async () => {
    const server = await start({ model: { runtime: 'null' } });
    expect(
      floats(
        await infer(
          server,
          inputOf('null', 'x', [2, 4], (i) => i),
        ),
      ),
    ).toEqual([0, 4]);
    expect(server.usage().instances[0]!.pid).toBe(process.pid);
  });

  test('a closing server answers what it has and refuses what is new', async () => {
    const model = { runtime: 'synthetic', options: { cost: [[1, '20ms']] } };
    const server = await start({ model });
    const request = inputOf('synthetic', 'x', [1, 4], () => 1);
    const running = infer(server, request);
    const closed = server.close();
    expect(reason(await infer(server, request))).toContain('the server is stopping');
    expect((await running).ok).toBe(true);
    await closed;
    expect(server.service.ready()).toBe(false);
  });

  test('tells Triton’s configuration of a batching model', async () => {
    const options = { maxBatchSize: 8, preferredBatchSize: [4], maxQueueDelay: '1ms' };
    const server = await start({ model: { path: linear }, strategy: { name: 'triton-dynamic', options } });
    expect(server.service.modelConfig('linear')).toMatchObject({
      max_batch_size: 8,
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [4] }],
      dynamic_batching: { preferred_batch_size: [4], max_queue_delay_microseconds: 1000 },
      instance_group: [{ count: 1 }],
    });
  });

  test.each([
    [{ strategy: { name: 'magic' } }, 'there is no strategy "magic"'],
    [{ frontends: { carrier: { port: 0 } } }, 'there is no frontend "carrier"'],
    [{ strategy: { name: 'clockwork' } }, 'servemark profile'],
  ])('a wrong spec is refused with its place: %j', async (more, message) => {
    await expect(startServer(spec({ model: { path: linear }, ...more }))).rejects.toThrow(message);
  });
});

describe('a profile', () => {
  test('of a synthetic model is never below its table, and has a point for each size', async () => {
    const cost = [
      [1, '1ms'],
      [4, '4ms'],
    ];
    const table = await profileModel({
      model: { runtime: 'synthetic', options: { cost } },
      sizes: [1, 2, 4],
      rounds: 3,
    });
    expect(table.map(([rows]) => rows)).toEqual([1, 2, 4]);
    for (const [rows, ns] of table) expect(ns).toBeGreaterThanOrEqual(rows * 1e6);
  });

  test('of a model with a fixed batch has one point', async () => {
    const table = await profileModel({ model: { path: fixed }, sizes: [1, 2], rounds: 2 });
    expect(table.map(([rows]) => rows)).toEqual([1]);
  });
});

function spec(more: Partial<ServerSpec>): ServerSpec {
  return { name: 'test', model: { runtime: 'null' }, strategy: { name: 'serial' }, frontends: {}, ...more };
}

async function start(more: Partial<ServerSpec>): Promise<RunningServer> {
  const server = await startServer(spec(more));
  open.push(server);
  return server;
}

function infer(server: RunningServer, request: InferRequest): Promise<InferOutcome> {
  return new Promise((done) => server.service.infer(request, nowNs(), done));
}

function inputOf(model: string, name: string, shape: readonly number[], value: (i: number) => number): InferRequest {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => value(i));
  return { modelName: model, inputs: [{ name, datatype: 'FP32', shape, data: new Uint8Array(values.buffer) }] };
}

function floats(outcome: InferOutcome): number[] {
  if (!outcome.ok) throw outcome.error;
  return [...new Float32Array(outcome.response.outputs[0]!.data.slice().buffer)];
}

function code(outcome: InferOutcome): string | undefined {
  return outcome.ok ? undefined : outcome.error.code;
}

function reason(outcome: InferOutcome): string | undefined {
  return outcome.ok ? undefined : outcome.error.message;
}
