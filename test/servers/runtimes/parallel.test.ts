import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { writeModel } from '../../../optimizers/onnx/index.js';
import { UserError } from '../../../results/errors.js';
import type { InstanceEvents } from '../../../servers/executors/instance.js';
import { resolveModel } from '../../../servers/models/index.js';
import { ProtocolError } from '../../../servers/protocol/errors.js';
import type { InferOutcome, InferRequest } from '../../../servers/protocol/index.js';
import { createRuntime, type Runtime, type RuntimeTensor } from '../../../servers/runtimes/index.js';
import { type RunningServer, startServer } from '../../../servers/server.js';
import type { ServerSpec } from '../../../servers/spec.js';
import { workFolder } from '../../e2e/folders.js';
import { denseNet } from '../../fixtures/dense-nets.js';
import { FASHION_MLP } from '../../fixtures/onnx-models.js';
import { splitModel } from '../../fixtures/split-model.js';

const folder = workFolder('parallel');
const WIDTH = 64;
const DENSE = join(folder, 'dense.onnx');
writeModel(
  denseNet({
    inputs: WIDTH,
    layers: Array.from({ length: 6 }, () => ({ width: WIDTH, form: 'gemm', activation: 'Relu' }) as const),
    seed: 3,
    irVersion: 8,
    shared: false,
  }),
  DENSE,
);
const MODELS = [
  { name: 'fashion-mlp', path: FASHION_MLP, width: 784 },
  { name: 'dense', path: DENSE, width: WIDTH },
] as const;

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

describe('pipeline-parallel, through a server', () => {
  for (const { name, path, width } of MODELS)
    test.each([
      { stages: 2, options: { microBatches: 1 } },
      { stages: 2, options: { microBatches: 4 } },
      { stages: 3, options: { microBatches: 3, workers: [1, 2, 1] } },
    ])(`${name} in $stages stages, $options: bit-equal to the whole`, async ({ stages, options }) => {
      const { plan } = await splitModel(path, 'split-pipeline', { stages }, folder, `${name}-p${stages}`);
      const whole = await serve({ path });
      const parts = await serve({ path: plan, options });
      expect(parts.metadata.inputs).toEqual(whole.metadata.inputs);
      expect(parts.metadata.outputs).toEqual(whole.metadata.outputs);
      for (const rows of [1, 8, 13])
        expect(await answer(parts, rows, width), `${rows} rows`).toEqual(await answer(whole, rows, width));
    });
});

describe('tensor-parallel, through a server', () => {
  for (const { name, path, width } of MODELS)
    test.each([2, 3])(`${name} in %i shards differs by 1e-4 at most`, async (shards) => {
      const { plan } = await splitModel(path, 'split-tensor', { shards, minWeights: 0 }, folder, `${name}-t${shards}`);
      const whole = await serve({ path });
      const parts = await serve({ path: plan });
      expect(parts.metadata.inputs).toEqual(whole.metadata.inputs);
      expect(parts.metadata.outputs).toEqual(whole.metadata.outputs);
      for (const rows of [1, 8]) {
        const [a, b] = [await answer(whole, rows, width), await answer(parts, rows, width)];
        expect(b).toHaveLength(a.length);
        expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThanOrEqual(1e-4);
      }
    });

  test('columns of a layer without a partner are joined, and their width is known', async () => {
    const path = join(folder, 'single.onnx');
    writeModel(
      denseNet({
        inputs: 16,
        layers: [{ width: 10, form: 'gemm', activation: 'none' }],
        seed: 1,
        irVersion: 8,
        shared: false,
      }),
      path,
    );
    const { plan } = await splitModel(path, 'split-tensor', { shards: 3, minWeights: 0 }, folder, 'single-t3');
    const parts = await serve({ path: plan });
    expect(parts.metadata.outputs).toEqual([{ name: 'y', datatype: 'FP32', shape: [-1, 10] }]);
    const [a, b] = [await answer(await serve({ path }), 3, 16), await answer(parts, 3, 16)];
    expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThanOrEqual(1e-4);
  });
});

describe('what an execution was made of', () => {
  test('pipeline: bytes handed over are rows × the bytes alive at the cuts; stages add up to the compute', async () => {
    const { plan, facts } = await splitModel(DENSE, 'split-pipeline', { stages: 3 }, folder, 'parts-p3');
    const runtime = await runtimeOf('pipeline-parallel', plan, { microBatches: 4 });
    await runtime.execute([rowsOf(10, WIDTH)], 10);
    const parts = partsOf(runtime);
    const perRow = (facts.bytesPerRow as number[]).reduce((a, b) => a + b, 0);
    expect(perRow).toBe(2 * 4 * WIDTH);
    expect(parts['bytes handed over']).toBe(10 * perRow);
    expect(parts['bytes by formula']).toBe(10 * perRow);
    expect(parts).toMatchObject({ workers: 3, 'micro-batches': 4 });
    expect(parts['stage 0']! + parts['stage 1']! + parts['stage 2']!).toBeCloseTo(parts.compute!, 0);
    expect(parts.makespan!).toBeGreaterThan(Math.max(parts['stage 0']!, parts['stage 1']!, parts['stage 2']!));
  });

  test('tensor: gathered are rows × the plan’s bytes, scattered the inputs of every shard; the times add up', async () => {
    const { plan, facts } = await splitModel(DENSE, 'split-tensor', { shards: 2, minWeights: 0 }, folder, 'parts-t2');
    const runtime = await runtimeOf('tensor-parallel', plan, {});
    await runtime.execute([rowsOf(10, WIDTH)], 10);
    const parts = partsOf(runtime);
    // Three pairs of layers: each gives two partial sums of 64 floats a row and takes two copies of as many.
    expect(facts).toMatchObject({ pairs: 3, sums: 3, bytesPerRow: 3 * 2 * 4 * WIDTH });
    expect(parts['bytes gathered']).toBe(10 * (facts.bytesPerRow as number));
    expect(parts['bytes scattered']).toBe(10 * 3 * 2 * 4 * WIDTH);
    expect(parts['bytes by formula']).toBe(parts['bytes gathered']! + parts['bytes scattered']!);
    expect(parts['shard 0']! + parts['shard 1']!).toBeCloseTo(parts.compute!, 0);
    const told = parts['slowest shards']! + parts['whole layers']! + parts['hand-over']! + parts.reduction!;
    expect(told).toBeLessThanOrEqual(parts.makespan!);
    expect(told).toBeGreaterThan(0.5 * parts.makespan!);
    expect(parts.compute!).toBeGreaterThan(parts['slowest shards']!);
  });

  test('reaches the server’s statistics, added up over executions; other runtimes have none', async () => {
    const { plan } = await splitModel(DENSE, 'split-tensor', { shards: 2, minWeights: 0 }, folder, 'told-t2');
    const server = await serve({ path: plan });
    await answer(server, 4, WIDTH);
    await answer(server, 6, WIDTH);
    const [statistics] = server.service.modelStatistics();
    expect(statistics!.servemark_parts).toContainEqual({
      name: 'bytes gathered',
      unit: 'bytes',
      count: 2,
      total: 10 * 3 * 2 * 4 * WIDTH,
    });
    const whole = await serve({ path: DENSE });
    await answer(whole, 1, WIDTH);
    expect(whole.service.modelStatistics()[0]).not.toHaveProperty('servemark_parts');
  });
});

describe('parallel runtimes refuse', () => {
  test('a plan of another kind, lists that do not fit, parts that are missing, and files that are no plan', async () => {
    const { plan } = await splitModel(DENSE, 'split-pipeline', { stages: 2 }, folder, 'refused');
    await expect(createRuntime('tensor-parallel', plan, {})).rejects.toThrow(
      'it is a pipeline plan, which tensor-parallel does not execute',
    );
    await expect(createRuntime('pipeline-parallel', plan, { workers: [1, 1, 1] })).rejects.toThrow(
      "one number for each of the plan's 2 stages",
    );
    await expect(createRuntime('pipeline-parallel', plan, { cpus: [0] })).rejects.toThrow(
      'one for each of the 2 workers',
    );
    await expect(createRuntime('pipeline-parallel', plan, { cpus: [0, 4000] })).rejects.toThrow(UserError);
    const broken = join(folder, 'broken.plan.json');
    writeFileSync(broken, '{"schema":1,"kind":"pipeline"}');
    await expect(resolveModel({ path: broken })).rejects.toThrow(UserError);
    const lost = join(folder, 'lost.plan.json');
    const step = { kind: 'whole', model: 'a', inputs: ['x'], outputs: ['y'], cost: 1 };
    const rest = { schema: 1, kind: 'pipeline', inputs: ['x'], outputs: ['y'], steps: [step] };
    writeFileSync(lost, JSON.stringify({ ...rest, files: {} }));
    await expect(resolveModel({ path: lost })).rejects.toThrow('names no file for a');
    writeFileSync(lost, JSON.stringify({ ...rest, files: { a: 'nowhere.onnx' } }));
    await expect(resolveModel({ path: lost })).rejects.toThrow('there is no such file');
  });

  test('an input that a session refuses, and serve the next one', async () => {
    const { plan } = await splitModel(DENSE, 'split-pipeline', { stages: 2 }, folder, 'next');
    const runtime = await runtimeOf('pipeline-parallel', plan, { microBatches: 2 });
    await expect(runtime.execute([rowsOf(4, WIDTH + 1)], 4)).rejects.toThrow('stage 0: ');
    expect((await runtime.execute([rowsOf(4, WIDTH)], 4))[0]!.shape).toEqual([4, WIDTH]);
  });

  test('an execution on devices where there is none', async () => {
    const { plan } = await splitModel(DENSE, 'split-pipeline', { stages: 2 }, folder, 'cuda');
    const options = { executionProviders: ['cuda'], devices: [0, 0] };
    const attempt = await createRuntime('pipeline-parallel', plan, options).catch((error: unknown) => error);
    if (attempt instanceof Error) {
      expect(attempt.message).toContain('cuda does not start on this machine');
      console.log('skipped: no GPU, one session a device can’t be shown here');
      return;
    }
    const runtime = attempt as Runtime;
    open.push(runtime);
    expect((await runtime.execute([rowsOf(4, WIDTH)], 4))[0]!.shape).toEqual([4, WIDTH]);
  });
});

describe('a worker that dies', () => {
  test('fails the execution under way and all after it, says which worker, and lets the others end', async () => {
    const { plan } = await splitModel(DENSE, 'split-pipeline', { stages: 3 }, folder, 'dying');
    const started: Worker[] = [];
    const note = (message: unknown) => started.push((message as { worker: Worker }).worker);
    subscribe('worker_threads', note);
    const runtime = await runtimeOf('pipeline-parallel', plan, { microBatches: 4 });
    unsubscribe('worker_threads', note);
    const underWay = runtime.execute([rowsOf(64, WIDTH)], 64);
    started[1]!.postMessage(null);
    await expect(underWay).rejects.toThrow(/the worker of stage 1 died \(threw: .*null/);
    expect((await runtime.lost)!.message).toContain('the worker of stage 1 died');
    await expect(runtime.execute([rowsOf(4, WIDTH)], 4)).rejects.toThrow('the worker of stage 1 died');
    await timely(2000, runtime.close());
  });

  test('takes its instance with it: requests under way are told, those after are served by a new one', async () => {
    const { plan } = await splitModel(DENSE, 'split-tensor', { shards: 2, minWeights: 0 }, folder, 'dying-server');
    const events: string[] = [];
    const server = await withImport('stage-killer.mjs', () =>
      serve({ path: plan }, { isolation: 'process' }, { event: (text) => events.push(text) }),
    );
    const before = await answer(server, 2, WIDTH);
    const { pid } = server.usage().instances[0]!;
    const underWay = Array.from({ length: 40 }, () => answer(server, 64, WIDTH).catch((error: unknown) => error));
    process.kill(pid, 'SIGUSR2');
    const ended = await timely(20_000, Promise.all(underWay));
    const refused = ended.filter((each) => each instanceof ProtocolError);
    expect(refused.length).toBeGreaterThan(0);
    for (const error of refused) {
      expect(error.code).toBe('UNAVAILABLE');
      expect(error.message).toMatch(/the worker of instance 0 died .*the worker of shard 1 died/);
    }
    expect(events.join()).toMatch(/instance 0 died .*starting it again in 100 ms/);
    expect(await timely(20_000, answer(server, 2, WIDTH))).toEqual(before);
  });
});

test('workers pinned to processors run there and nowhere else, are called so, and give the same', async () => {
  const { plan } = await splitModel(DENSE, 'split-pipeline', { stages: 2 }, folder, 'pinned');
  const free = await runtimeOf('pipeline-parallel', plan, {});
  const before = affinities();
  const pinned = await runtimeOf('pipeline-parallel', plan, { cpus: [0, '0'] });
  const theirs = [...affinities()].filter(([tid]) => !before.has(tid));
  if (os.availableParallelism() === 1) console.log('skipped in part: one processor, pinned or not is the same here');
  expect(theirs.filter(([, cpus]) => cpus === '0').length).toBeGreaterThanOrEqual(2);
  const [a, b] = [await free.execute([rowsOf(4, WIDTH)], 4), await pinned.execute([rowsOf(4, WIDTH)], 4)];
  expect(new Float32Array(b[0]!.buffer)).toEqual(new Float32Array(a[0]!.buffer));
  expect(Object.keys(partsOf(free))).toContain('stage 1');
  expect(Object.keys(partsOf(pinned))).toContain('stage 1 on CPU 0');
});

/** Thread → the processors that it may run on, of this process. */
function affinities(): Map<string, string> {
  return new Map(
    readdirSync('/proc/self/task').map((tid) => [
      tid,
      /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync(`/proc/self/task/${tid}/status`, 'utf8'))![1]!,
    ]),
  );
}

test('the same plan over other weights is another model', async () => {
  const { plan } = await splitModel(DENSE, 'split-pipeline', { stages: 2 }, folder, 'hashed');
  const before = await resolveModel({ path: plan });
  expect(before).toMatchObject({ name: 'hashed', runtime: 'pipeline-parallel' });
  writeModel(denseNetOfSeed(4), join(folder, 'hashed.stage1.onnx'));
  expect((await resolveModel({ path: plan })).sha256).not.toBe(before.sha256);
});

function denseNetOfSeed(seed: number) {
  const layers = [{ width: WIDTH, form: 'gemm', activation: 'Relu' }] as const;
  return denseNet({ inputs: WIDTH, layers, seed, irVersion: 8, shared: false });
}

async function serve(
  model: { path: string; options?: Record<string, unknown> },
  more: Partial<ServerSpec> = {},
  events: Partial<InstanceEvents> = {},
): Promise<RunningServer> {
  const spec = { name: 'parallel', model: { ...model, name: 'net' }, strategy: { name: 'serial' }, frontends: {} };
  const server = await startServer({ ...spec, warmUpExecutions: 0, ...more }, events);
  open.push(server);
  return server;
}

/** What hangs fails. */
async function timely<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  const late = delay(ms, undefined, { ref: false }).then(() => Promise.reject(new Error(`nothing for ${ms} ms`)));
  return Promise.race([work, late]);
}

/** Processes that `work` starts import the fixture first. */
async function withImport<Value>(fixture: string, work: () => Promise<Value>): Promise<Value> {
  const { NODE_OPTIONS } = process.env;
  process.env.NODE_OPTIONS = `--import=${join(process.cwd(), 'test/fixtures', fixture)}`;
  try {
    return await work();
  } finally {
    if (NODE_OPTIONS === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = NODE_OPTIONS;
  }
}

async function runtimeOf(name: string, plan: string, options: Record<string, unknown>): Promise<Runtime> {
  const runtime = await createRuntime(name, plan, options);
  open.push(runtime);
  return runtime;
}

function rowsOf(rows: number, width: number): RuntimeTensor {
  const values = Float32Array.from({ length: rows * width }, (_, i) => Math.sin(i));
  return { name: 'x', datatype: 'FP32', shape: [rows, width], buffer: values.buffer };
}

async function answer(server: RunningServer, rows: number, width: number): Promise<number[]> {
  const { buffer, ...x } = rowsOf(rows, width);
  const request: InferRequest = { modelName: 'net', inputs: [{ ...x, data: new Uint8Array(buffer) }] };
  const outcome = await new Promise<InferOutcome>((resolve) => server.service.infer(request, 0, resolve));
  if (!outcome.ok) throw outcome.error;
  const { data } = outcome.response.outputs[0]!;
  return [...new Float32Array(data.slice().buffer)];
}

function partsOf(runtime: Runtime): Record<string, number> {
  return Object.fromEntries(runtime.lastParts!().map(({ name, value }) => [name, value]));
}
