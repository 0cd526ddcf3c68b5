import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nowNs } from '../../../results/clock.js';
import type { InferOutcome } from '../../../servers/protocol/service.js';
import type { RepositorySpec } from '../../../servers/repository/index.js';
import { type OpenServer, startRepositoryServer } from '../../../servers/server.js';
import { linearGraph, writeOnnx } from '../../fixtures/onnx-file.js';

let root: string;
let told: string[];
const open: OpenServer[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'servemark repository '));
  told = [];
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
  rmSync(root, { recursive: true });
});

describe('a model repository', () => {
  test('serves each model’s latest version, as its configuration says', async () => {
    version('plain', 1);
    version('plain', 2);
    version('batched', 1);
    config(
      'batched',
      'max_batch_size: 4 dynamic_batching { max_queue_delay_microseconds: 20000 preferred_batch_size: 2 }',
    );
    const { service } = await start({ control: 'none' });
    expect(service.repository!.index(true)).toEqual([
      { name: 'batched', version: '1', state: 'READY', reason: '' },
      { name: 'plain', version: '2', state: 'READY', reason: '' },
    ]);
    expect(service.modelConfig('batched')).toMatchObject({
      max_batch_size: 4,
      dynamic_batching: { preferred_batch_size: [2], max_queue_delay_microseconds: 20_000 },
    });
    const both = await Promise.all([infer('batched'), infer('batched')]);
    expect(both.map((outcome) => outcome.timings?.batchSize)).toEqual([2, 2]);
    expect(await answered('plain')).toBe('2');
    await expect(service.repository!.load('plain', {})).rejects.toThrow('not allowed under model control none');
  });

  test('has all versions, or those that are named', async () => {
    for (const number of [1, 2, 10]) version('all', number);
    config('all', 'version_policy: { all { } }');
    for (const number of [1, 2, 10]) version('two', number);
    config('two', 'version_policy { specific { versions: [1, 2] } }');
    const { service } = await start({ control: 'none' });
    expect(service.modelMetadata('all').versions).toEqual(['1', '2', '10']);
    expect(service.modelMetadata('two').versions).toEqual(['1', '2']);
    expect(await answered('all')).toBe('10');
    expect(await answered('all', '1')).toBe('1');
    expect(await answered('two', '10')).toContain('has no version "10"');
  });

  test('loads and unloads when it is told to; what is not loaded is unavailable, not unknown', async () => {
    version('a', 1);
    version('b', 1);
    const { service } = await start({ control: 'explicit', load: ['a'] });
    const repository = service.repository!;
    expect(service.modelReady('b')).toBe(false);
    expect(await answered('b')).toBe('model "b" is not ready: it is not loaded');
    await repository.load('b', {});
    expect(await answered('b')).toBe('1');
    await repository.unload('b');
    expect(repository.index(false)).toContainEqual({
      name: 'b',
      version: '',
      state: 'UNAVAILABLE',
      reason: 'unloaded',
    });
    expect(service.modelReady('b')).toBe(false);
    await expect(repository.load('c', {})).rejects.toThrow('no model "c" in the repository; it has "a", "b"');
    await expect(repository.load('../a', {})).rejects.toThrow('no model "../a"');
    await expect(repository.load('b', { 'file:1/model.onnx': 'x' })).rejects.toThrow('expected "config" alone');
    await repository.load('b', { config: '{"max_batch_size": 8, "dynamic_batching": {}}' });
    expect(service.modelConfig('b').max_batch_size).toBe(8);
  });

  test('answers what it has taken before it lets a model go', async () => {
    version('slow', 1);
    config('slow', synthetic('50ms'));
    const { service } = await start({ control: 'explicit', load: ['*'] });
    const running = [infer('slow'), infer('slow')];
    const unloaded = service.repository!.unload('slow');
    await delay(5);
    expect(await answered('slow')).toContain('is not ready: it is unloading');
    expect((await Promise.all(running)).map((outcome) => outcome.ok)).toEqual([true, true]);
    await unloaded;
  });

  test.each(['availability', 'resource'] as const)('swaps versions under load, keeping %s', async (swap) => {
    version('m', 1);
    config('m', synthetic('1ms'));
    const { service } = await start({ control: 'explicit', load: ['*'], swap });
    const versions: (string | undefined)[] = [];
    let going = true;
    const load = (async () => {
      while (going) {
        versions.push(...(await Promise.all([answered('m'), answered('m'), answered('m')])));
        // A refusal is answered at once: without a turn of the loop nothing else would come to run.
        await delay(0);
      }
    })();
    await delay(30);
    version('m', 2);
    await service.repository!.load('m', {});
    await delay(30);
    going = false;
    await load;
    const failures = versions.filter((each) => each !== '1' && each !== '2');
    if (swap === 'availability') expect(failures).toEqual([]);
    else expect(failures.length).toBeGreaterThan(0);
    expect(versions[0]).toBe('1');
    expect(versions.at(-1)).toBe('2');
    expect(service.repository!.index(true).map((each) => each.version)).toEqual(['2']);
  });

  test('keeps a version that serves where the next one does not load, and says why', async () => {
    version('m', 1);
    const { service } = await start({ control: 'explicit', load: ['*'] });
    mkdirSync(join(root, 'm', '2'));
    writeFileSync(join(root, 'm', '2', 'model.onnx'), 'no model');
    await expect(service.repository!.load('m', {})).rejects.toThrow('version 2: ');
    expect(await answered('m')).toBe('1');
    expect(service.repository!.index(false)).toMatchObject([
      { version: '1', state: 'READY' },
      { version: '2', state: 'UNAVAILABLE', reason: expect.stringContaining('ONNX Runtime cannot load it') },
    ]);
    cpSync(join(root, 'm', '1'), join(root, 'm', '2'), { recursive: true });
    await service.repository!.load('m', {});
    expect(await answered('m')).toBe('2');
  });

  test('polled, follows its folder: new models, changed files, what is gone', async () => {
    version('a', 1);
    const { service } = await start({ control: 'poll', pollMs: 20 });
    version('b', 1);
    await until(() => service.repository!.index(true).length === 2);
    writeOnnx(join(root, 'a', '1', 'model.onnx'), linearGraph(2));
    await until(() => service.modelMetadata('a').inputs[0]!.shape[0] === 2);
    rmSync(join(root, 'b'), { recursive: true });
    await until(() => service.repository!.index(true).length === 1);
    await expect(service.repository!.unload('a')).rejects.toThrow('under model control poll');
  });

  test.each([
    [
      'a model without a version',
      () => mkdirSync(join(root, 'm')),
      'model m: it does not load: it has no version: put the',
    ],
    [
      'a policy that wants what is not there',
      () => [version('m', 1), config('m', 'version_policy: { specific: { versions: [ 3 ] } }')],
      'it has only version 1: its version_policy wants others',
    ],
    [
      'a text where a number belongs',
      () => [version('m', 1), config('m', 'max_batch_size: "many"')],
      'm/config.pbtxt.max_batch_size: "many" is of the wrong type. Allowed: a number',
    ],
    ['an empty version', () => mkdirSync(join(root, 'm', '1'), { recursive: true }), 'it is empty'],
    ['a link out of the root', linkOut, 'outside of the model root'],
    ['a wrong name', () => [version('m', 1), config('m', 'name: "other"')], 'its name is "other"'],
    ['an unknown backend', () => [version('m', 1), config('m', 'backend: "python"')], 'there is no backend "python"'],
    ['a wrong strategy', () => [version('m', 1), config('m', parameter('strategy', 'magic'))], 'no strategy "magic"'],
    [
      'a rate limiter beside a batcher',
      () => [version('m', 1), config('m', 'dynamic_batching {} instance_group { rate_limiter { priority: 2 } }')],
      'a rate limiter beside a batcher',
    ],
    [
      'a warm-up that fails',
      () => [
        version('m', 1),
        config(
          'm',
          'model_warmup { name: "w" batch_size: 1 inputs { key: "x" value { data_type: TYPE_FP32 dims: 3 } } }',
        ),
      ],
      'warm-up "w" failed',
    ],
  ])('without control refuses to start with %s', async (_, make, message) => {
    make();
    await expect(start({ control: 'none' })).rejects.toThrow(message);
  });

  test('tells fields of a configuration that change nothing, rate limits instances, and warms up by samples', async () => {
    version('m', 1);
    config(
      'm',
      `max_batch_size: 4
       optimization { }
       instance_group { count: 2 rate_limiter { priority: 2 resources { name: "r" count: 3 } } }
       model_warmup { name: "w" batch_size: 2 count: 3
         inputs { key: "x" value { data_type: TYPE_FP32 dims: 4 input_data_file: "raw" } } }`,
    );
    mkdirSync(join(root, 'm', 'warmup'));
    writeFileSync(join(root, 'm', 'warmup', 'raw'), new Uint8Array(16));
    const { service } = await start({ control: 'none' });
    expect(told).toContain('model m: its configuration’s optimization changes nothing here');
    expect(service.modelConfig('m').instance_group[0]!.count).toBe(2);
    expect(await answered('m')).toBe('1');
  });
});

function linkOut(): void {
  const outside = mkdtempSync(join(tmpdir(), 'outside '));
  writeOnnx(join(outside, 'model.onnx'), linearGraph());
  mkdirSync(join(root, 'm', '1'), { recursive: true });
  symlinkSync(join(outside, 'model.onnx'), join(root, 'm', '1', 'model.onnx'));
}

function version(name: string, number: number): void {
  const path = join(root, name, String(number), 'model.onnx');
  mkdirSync(dirname(path), { recursive: true });
  writeOnnx(path, linearGraph());
}

function config(name: string, text: string): void {
  writeFileSync(join(root, name, 'config.pbtxt'), text);
}

function parameter(key: string, value: string): string {
  return `parameters { key: "${key}" value { string_value: '${value}' } }`;
}

function synthetic(cost: string): string {
  return `backend: "synthetic" ${parameter('runtime_options', `{"cost": [[1, "${cost}"]]}`)}`;
}

async function start(spec: Omit<RepositorySpec, 'root'>): Promise<OpenServer> {
  const repository = { root, ...spec };
  const server = await startRepositoryServer(
    { name: 'r', repository, frontends: {} },
    { event: (text) => told.push(text) },
  );
  open.push(server);
  return server;
}

function infer(modelName: string, modelVersion?: string): Promise<InferOutcome> {
  const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [1, 4], data: new Uint8Array(16) }];
  return new Promise((done) => open.at(-1)!.service.infer({ modelName, modelVersion, inputs }, nowNs(), done));
}

async function answered(model: string, number?: string): Promise<string | undefined> {
  const outcome = await infer(model, number);
  return outcome.ok ? outcome.response.modelVersion : outcome.error.message;
}

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 8000;
  while (!holds()) {
    if (Date.now() > end) throw new Error('it did not come to pass within 8 s');
    await delay(20);
  }
}
