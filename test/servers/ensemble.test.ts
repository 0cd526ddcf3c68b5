import { afterEach, describe, expect, test } from 'vitest';
import { chained, createTransport } from '../../clients/transports/index.js';
import { nowNs } from '../../results/clock.js';
import type { InferOutcome, InferRequest } from '../../servers/protocol/index.js';
import { GraphRun, graphProblems } from '../../servers/protocol/index.js';
import { type RunningServer, startServer } from '../../servers/server.js';
import type { EnsembleSpec, ServedModelSpec } from '../../servers/spec.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

/** pre → left, right → post: `post` takes both. */
const DIAMOND: EnsembleSpec = {
  name: 'diamond',
  steps: [
    { model: 'post', inputMap: { a: 'from-left', b: 'from-right' }, outputMap: { y: 'answer' } },
    { model: 'pre', inputMap: { x: 'image' }, outputMap: { y: 'clean' } },
    { model: 'left', inputMap: { x: 'clean' }, outputMap: { y: 'from-left' } },
    { model: 'right', inputMap: { x: 'clean' }, outputMap: { y: 'from-right' } },
  ],
};
const MODELS = ['pre', 'left', 'right'].map((name) => served(name));
const POST = served('post', { inputs: ['a', 'b'].map((name) => ({ name, shape: [-1, 4] })) });

describe('the graph', () => {
  test('steps come to run in the order of their tensors, whatever the order they are written in', () => {
    const run = new GraphRun(DIAMOND, request('diamond', 'image', 1));
    const names = () => run.ready().map(({ request: { modelName } }) => modelName);
    const tensor = (name: string) => ({ ...request('m', name, 1).inputs[0]! });
    expect(names()).toEqual(['pre']);
    expect(names()).toEqual([]);
    expect(run.answered(1, [tensor('y')])).toBe(false);
    expect(names()).toEqual(['left', 'right']);
    run.answered(3, [tensor('y')]);
    expect(names()).toEqual([]);
    run.answered(2, [tensor('y')]);
    expect(names()).toEqual(['post']);
    expect(run.answered(0, [tensor('y')])).toBe(true);
    expect(run.outputs(['answer']).map(({ name }) => name)).toEqual(['answer']);
  });

  test('circles, tensors that are made twice and outputs that nobody makes are problems with their places', () => {
    const step = (model: string, from: string, to: string) => ({ model, inputMap: { x: from }, outputMap: { y: to } });
    expect(graphProblems({ steps: [step('a', 'p', 'q'), step('b', 'q', 'p')] })).toMatchObject([
      { at: 'steps', found: "steps[0], steps[1] wait for one another's tensors" },
    ]);
    expect(graphProblems({ steps: [step('a', 'p', 'q'), step('b', 'p', 'q')], outputs: ['r'] })).toMatchObject([
      { at: 'steps[1].outputMap.y', found: 'steps[0] makes "q" already' },
      { at: 'outputs[0]', found: 'no step makes "r"', allowed: 'q' },
    ]);
  });
});

describe('an ensemble in the server', () => {
  test('is a model of its own with inputs and outputs by the graph’s names; every step is counted by its model', async () => {
    const server = await start(DIAMOND);
    expect(server.metadata).toMatchObject({ name: 'diamond', platform: 'ensemble' });
    expect(server.metadata.inputs.map(({ name }) => name)).toEqual(['image']);
    expect(server.metadata.outputs.map(({ name }) => name)).toEqual(['answer']);
    const outcomes = await Promise.all([7, 8, 9].map((value) => infer(server, value)));
    expect(outcomes.map(answerOf)).toEqual([7, 8, 9]);
    const counts = server.service.modelStatistics().map(({ name, inference_count }) => [name, inference_count]);
    expect(counts).toEqual([
      ['post', 3],
      ['pre', 3],
      ['left', 3],
      ['right', 3],
      ['diamond', 3],
    ]);
    const { queueNs, computeInputNs, computeInferNs, computeOutputNs } = outcomes[0]!.timings!;
    // pre, one of the sides, post: 2 ms each.
    expect(computeInferNs).toBeGreaterThanOrEqual(6e6);
    expect(queueNs + computeInputNs + computeInferNs + computeOutputNs).toBeGreaterThan(computeInferNs);
  });

  test('a step that is refused refuses the whole request, once, with its reason', async () => {
    const full = { ...served('right'), strategy: { name: 'serial', options: { maxQueueSize: 1 } } };
    const server = await start(DIAMOND, [MODELS[0]!, MODELS[1]!, full]);
    const outcomes = await Promise.all(Array.from({ length: 12 }, (_, i) => infer(server, i)));
    const refused = outcomes.filter((outcome) => !outcome.ok);
    for (const outcome of refused) expect(!outcome.ok && outcome.error.reason).toBe('queue-full');
    for (const [i, outcome] of outcomes.entries()) if (outcome.ok) expect(answerOf(outcome)).toBe(i);
    expect(outcomes.some((outcome) => outcome.ok)).toBe(true);
  });

  test('with maxInflightRequests 1 the second waits at the door', async () => {
    const server = await start({ ...DIAMOND, maxInflightRequests: 1 });
    const both = Promise.all([infer(server, 1), infer(server, 2)]);
    const [first, second] = await both;
    expect([answerOf(first!), answerOf(second!)]).toEqual([1, 2]);
    expect(second!.timings!.queueNs).toBeGreaterThan(5e6);
  });

  test('steps of unknown models, unknown tensors and missing inputs are refused with their places', async () => {
    const wrong: EnsembleSpec = {
      name: 'wrong',
      steps: [
        { model: 'pre', inputMap: { z: 'image' }, outputMap: { y: 'clean' } },
        { model: 'nobody', inputMap: { x: 'clean' }, outputMap: { y: 'answer' } },
      ],
    };
    await expect(start(wrong)).rejects.toThrow(/steps\[0\]\.inputMap\.z: Pre has no such tensor.*Allowed: x/is);
    await expect(start(wrong)).rejects.toThrow('the server has no model "nobody". Allowed: post, pre, left, right');
  });

  test('a tensor that is taken in another shape or type than it is made is refused before anything is asked', async () => {
    const wide = served('left', { inputs: [{ name: 'x', shape: [-1, 8] }] });
    const ids = served('right', { inputs: [{ name: 'x', shape: [-1, 4], datatype: 'INT64' }] });
    await expect(start(DIAMOND, [MODELS[0]!, wide, ids])).rejects.toThrow(
      /steps\[2\]\.inputMap\.x: "clean" is made as FP32 \[-1,4\] and taken as FP32 \[-1,8\].*steps\[3\]\.inputMap\.x: "clean" is made as FP32 \[-1,4\] and taken as INT64/s,
    );
  });
});

test('the client walks through the same graph over the network, and gets the same answers', async () => {
  const server = await start(DIAMOND, MODELS, { grpc: { port: 0 } });
  const plain = createTransport('grpc', {
    url: server.addresses.grpc!,
    model: 'diamond',
    connections: 4,
    timeoutNs: 5e9,
  });
  open.unshift(plain);
  const transport = chained(plain, DIAMOND);
  const call = (of: typeof transport, value: number) =>
    new Promise<number>((resolve, reject) => {
      of.infer(of.encode(request('diamond', 'image', value)), (result) => {
        if (result.outcome !== 'ok') reject(new Error(result.errorMessage));
        else resolve(firstOf(result.response!().outputs[0]!.data));
      });
    });
  expect([await call(plain, 5), await call(transport, 5)]).toEqual([5, 5]);
  const [, , , , whole] = server.service.modelStatistics();
  expect(whole!.inference_count).toBe(1);
});

function served(modelName: string, more: Readonly<Record<string, unknown>> = {}): ServedModelSpec {
  const outputs = [{ name: 'y', shape: [-1, 4] }];
  const model = { runtime: 'synthetic', name: modelName, options: { cost: [[1, '2ms']], outputs, ...more } };
  return { model, modelName, strategy: { name: 'serial' } };
}

async function start(
  ensemble: EnsembleSpec,
  models: readonly ServedModelSpec[] = MODELS,
  frontends: Readonly<Record<string, { readonly port: number }>> = {},
): Promise<RunningServer> {
  const server = await startServer({ name: 's', ...POST, others: models, ensemble, frontends });
  open.push(server);
  return server;
}

function request(modelName: string, input: string, value: number): InferRequest {
  const data = new Uint8Array(new Float32Array(4).fill(value).buffer);
  return { modelName, inputs: [{ name: input, datatype: 'FP32', shape: [1, 4], data }] };
}

function infer(server: RunningServer, value: number): Promise<InferOutcome> {
  return new Promise((done) => server.service.infer(request('diamond', 'image', value), nowNs(), done));
}

function answerOf(outcome: InferOutcome): number {
  if (!outcome.ok) throw outcome.error;
  return firstOf(outcome.response.outputs[0]!.data);
}

function firstOf(data: Uint8Array): number {
  return new DataView(data.buffer, data.byteOffset).getFloat32(0, true);
}
