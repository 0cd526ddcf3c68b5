import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { nowNs } from '../../results/clock.js';
import type { InferOutcome, Parameters } from '../../servers/protocol/index.js';
import { type RunningServer, startServer } from '../../servers/server.js';
import type { ServedModelSpec, ServerSpec } from '../../servers/spec.js';
import { linearGraph, writeOnnx } from '../fixtures/onnx-file.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark fronts '));
const path = writeOnnx(join(folder, 'linear.onnx'), linearGraph());
afterAll(() => rmSync(folder, { recursive: true }));

const open: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

describe('modelmesh-lru', () => {
  const bytes = statSync(path).size;
  const mesh = (more: object = {}) => ({ instances: [{ capacity: 2 * bytes }], minAge: 0, ...more });
  const linear = (modelName: string): ServedModelSpec => ({ model: { path }, modelName, strategy: { name: 'serial' } });

  test('loads what is asked for, evicts the least recently used, and tells who waited for a load', async () => {
    const server = await start('modelmesh-lru', mesh(), [linear('a'), linear('b'), linear('c')]);
    const cold = async (model: string) => (await infer(server, model)).timings!.loadNs !== undefined;
    expect(await cold('a')).toBe(true);
    expect(await cold('b')).toBe(true);
    expect(await cold('a')).toBe(false);
    // b was used longest ago.
    expect(await cold('c')).toBe(true);
    expect(await cold('a')).toBe(false);
    expect(await cold('b')).toBe(true);
    expect(server.usage().instances).toHaveLength(2);
    const statistics = server.service.modelStatistics();
    expect(statistics.map((each) => each.inference_count)).toEqual([3, 2, 1]);
    expect(statistics[0]!.servemark_loads!.count).toBe(4);
  });

  test('answers all that ask for a model at once after one load, under its alias too', async () => {
    const server = await start('modelmesh-lru', mesh({ aliases: { best: 'b' } }), [linear('a'), linear('b')]);
    const all = await Promise.all([infer(server, 'b'), infer(server, 'best'), infer(server, 'b')]);
    expect(all.map((outcome) => outcome.ok)).toEqual([true, true, true]);
    expect(server.service.modelStatistics()[0]!.servemark_loads!.count).toBe(1);
  });

  test('refuses what no instance has room for', async () => {
    const server = await start('modelmesh-lru', mesh({ instances: [{ capacity: 1 }] }), [linear('a')]);
    expect(await failure(infer(server, 'a'))).toContain('no-capacity');
  });
});

describe('clipper-select', () => {
  /** The null runtime answers an input as it is: its class is the place of the largest score. */
  const variants: ServedModelSpec[] = ['one', 'two'].map((modelName) => ({
    model: { runtime: 'synthetic', options: { cost: [[1, modelName === 'one' ? '40ms' : 0]] } },
    modelName,
    strategy: { name: 'serial' },
  }));

  test('learns from labels which variant is right, and tells which one answered', async () => {
    const server = await start(
      'clipper-select',
      { algorithm: 'epsilon-greedy', epsilon: 0.1, cutoff: '5ms' },
      variants,
    );
    const chosen: (number | undefined)[] = [];
    for (let i = 0; i < 20; i++) chosen.push((await infer(server, 'selected', { label: 0 })).timings!.variant);
    // The first is too slow: it is cut off, which counts as wrong.
    expect(chosen[0]).toBeUndefined();
    expect(chosen.filter((variant) => variant === 2).length).toBeGreaterThan(15);
  });

  test('exp4 weighs the answers of all that arrive before the cut-off, and takes feedback later', async () => {
    const server = await start('clipper-select', { algorithm: 'exp4', eta: 1, cutoff: '10ms' }, variants);
    const outcome = await infer(server, 'selected', undefined, 'r1');
    expect(floats(outcome)).toEqual([0]);
    expect(outcome.ok && outcome.response.parameters!.servemark_confidence).toBe(0.5);
    server.service.feedback!('selected', 'r1', 0);
    expect(() => server.service.feedback!('selected', 'r1', 0)).toThrow('awaits no feedback for request "r1"');
    expect(() => server.service.feedback!('nobody', 'r1', 0)).toThrow('unknown model "nobody"');
  });

  test('gives the default answer where nobody answers in time', async () => {
    const slow = [variants[0]!, { ...variants[0]!, modelName: 'again' }];
    const server = await start('clipper-select', { algorithm: 'exp4', cutoff: '5ms', defaultOutput: 7 }, slow);
    const outcome = await infer(server, 'selected');
    expect(floats(outcome)).toEqual([7]);
    expect(outcome.ok && outcome.response.parameters!.servemark_source).toBe('default');
  });

  test('learns from a reference where there are no labels', async () => {
    const options = { algorithm: 'ucb1', reference: { model: 'two', share: 1 } };
    const server = await start(
      'clipper-select',
      options,
      [variants[1]!, { ...variants[1]!, modelName: 'other' }].map((each, i) => ({
        ...each,
        modelName: i === 0 ? 'two' : 'other',
      })),
    );
    for (let i = 0; i < 4; i++) expect((await infer(server, 'selected')).ok).toBe(true);
    await delay(20);
    // Every request was asked twice: once to answer, once to judge.
    expect(server.service.modelStatistics()[0]!.execution_count).toBe(8);
  });
});

describe('infaas', () => {
  const variant = (modelName: string, cost: string): ServedModelSpec => ({
    model: { runtime: 'synthetic', options: { cost: [[1, cost]] } },
    modelName,
    strategy: { name: 'serial' },
  });
  const options = {
    variants: { good: { accuracy: 0.9 }, fast: { accuracy: 0.7 } },
    maxLatency: '50ms',
    interval: '100ms',
  };

  test('takes the variant that is accurate and fast enough, and refuses what none does', async () => {
    const server = await start('infaas', options, [variant('good', '20ms'), variant('fast', '1ms')]);
    expect((await infer(server, 'selected', { min_accuracy: 0.8 })).timings).toMatchObject({ variant: 1 });
    expect((await infer(server, 'selected', { max_latency: 10_000 })).timings).toMatchObject({ variant: 2 });
    expect(await failure(infer(server, 'selected', { max_latency: 10 }))).toContain('no-variant');
    expect(server.service.modelStatistics()[0]!.servemark_loads!.count).toBe(2);
  });

  test('adds copies where the load asks for them', async () => {
    const one = { ...options, minAccuracy: 0.8, maxReplicas: 3 };
    const server = await start('infaas', one, [variant('good', '20ms'), variant('fast', '1ms')]);
    const answers: Promise<InferOutcome>[] = [];
    for (let i = 0; i < 60; i++) {
      answers.push(infer(server, 'selected'));
      await delay(8);
    }
    expect((await Promise.all(answers)).every((outcome) => outcome.ok)).toBe(true);
    expect(server.usage().instances.length).toBeGreaterThan(1);
  });
});

test('a front that does not exist, or is told what it does not know, is refused with its place', async () => {
  const model: ServedModelSpec = { model: { path }, strategy: { name: 'serial' } };
  await expect(start('magic', {}, [model])).rejects.toThrow('test.front: there is no front "magic"');
  await expect(start('infaas', { maxLatency: '1ms' }, [model])).rejects.toThrow('test.front.infaas');
});

async function start(
  name: string,
  options: Readonly<Record<string, unknown>>,
  [first, ...others]: readonly ServedModelSpec[],
): Promise<RunningServer> {
  const spec: ServerSpec = { name: 'test', ...first!, others, front: { name, options }, frontends: {} };
  const server = await startServer(spec);
  open.push(server);
  return server;
}

function infer(server: RunningServer, modelName: string, parameters?: Parameters, id?: string): Promise<InferOutcome> {
  const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [1, 4], data: new Uint8Array(16) }];
  return new Promise((done) => server.service.infer({ modelName, parameters, id, inputs }, nowNs(), done));
}

function floats(outcome: InferOutcome): number[] {
  if (!outcome.ok) throw outcome.error;
  return [...new Float32Array(outcome.response.outputs[0]!.data.slice().buffer)];
}

async function failure(outcome: Promise<InferOutcome>): Promise<string | undefined> {
  const settled = await outcome;
  return settled.ok ? undefined : settled.error.message;
}
