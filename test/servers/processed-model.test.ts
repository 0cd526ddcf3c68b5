import { expect, test } from 'vitest';
import type { HostedModel } from '../../servers/hosted-model.js';
import { processedModel } from '../../servers/processed-model.js';
import type { Processor } from '../../servers/processing/index.js';
import type { InferOutcome, InferRequest, Tensor } from '../../servers/protocol/index.js';
import { invalid } from '../../servers/protocol/tensors.js';
import { emptyTimings } from '../../servers/protocol/timings.js';
import { statefulModel } from '../../servers/stateful-model.js';

/** A model that keeps what it is asked until `answer` is called with the outputs. */
function heldModel(inputs: HostedModel['metadata']['inputs'], outputs: HostedModel['metadata']['outputs']) {
  const asked: { request: InferRequest; answer: (outputs: readonly Tensor[]) => void }[] = [];
  const model = {
    name: 'held',
    version: '1',
    metadata: { name: 'held', platform: 'test', inputs, outputs },
    config: {
      name: 'held',
      platform: 'test',
      backend: 'test',
      max_batch_size: 8,
      input: [],
      output: [],
      instance_group: [],
    },
    ready: () => true,
    statistics: () => {
      throw new Error('not asked for here');
    },
    waiting: () => 0,
    stopAccepting: () => {},
    drained: async () => {},
    close: async () => {},
    infer(request: InferRequest, _receivedNs: number, done: (outcome: InferOutcome) => void) {
      const answer = (made: readonly Tensor[]) =>
        done({
          ok: true,
          response: { modelName: 'held', outputs: made },
          timings: { ...emptyTimings(), receiveNs: 1e9 },
        });
      asked.push({ request, answer });
      return { cancel: () => {} };
    },
  } satisfies HostedModel;
  return { model, asked };
}

const fp32 = (name: string, values: readonly number[], shape = [1, values.length]): Tensor => ({
  name,
  datatype: 'FP32',
  shape,
  data: new Uint8Array(Float32Array.from(values).buffer),
});
const valuesOf = (tensor: Tensor | undefined) => [...new Float32Array(tensor!.data.slice().buffer)];
const row = (name: string, width = -1) => ({ name, datatype: 'FP32' as const, shape: [-1, width] });

/** x ↦ 10 x before the model, y ↦ −y behind it; what holds a 13 is refused. */
const tenfold: Processor = {
  inputs: [row('raw')],
  outputs: [row('x')],
  run: ([raw]) => {
    if (valuesOf(raw).includes(13)) throw invalid('13 is no number for us');
    return [
      fp32(
        'x',
        valuesOf(raw).map((value) => 10 * value),
      ),
    ];
  },
};
const negative: Processor = {
  inputs: [row('y')],
  outputs: [row('z')],
  run: async ([y]) => [
    fp32(
      'z',
      valuesOf(y).map((value) => -value),
    ),
  ],
};

test('a request passes the preprocessor, the model and the postprocessor; their times are told apart from receiving', async () => {
  const { model, asked } = heldModel([row('x')], [row('y')]);
  const processed = processedModel(model, { pre: tenfold, post: negative });
  expect(processed.metadata).toMatchObject({ inputs: [{ name: 'raw' }], outputs: [{ name: 'z' }] });
  const outcome = new Promise<InferOutcome>((resolve) => {
    processed.infer({ modelName: 'held', inputs: [fp32('raw', [1, 2])] }, 0, resolve);
  });
  expect(valuesOf(asked[0]!.request.inputs[0])).toEqual([10, 20]);
  expect(asked[0]!.request.outputs).toEqual([{ name: 'y' }]);
  let isDrained = false;
  const drained = processed.drained().then(() => {
    isDrained = true;
  });
  asked[0]!.answer([fp32('y', [5])]);
  expect(isDrained).toBe(false);
  const told = await outcome;
  await drained;
  if (!told.ok) throw told.error;
  expect(valuesOf(told.response.outputs[0])).toEqual([-5]);
  const { receiveNs, preprocessNs, postprocessNs } = told.timings;
  expect(preprocessNs).toBeGreaterThan(0);
  expect(postprocessNs).toBeGreaterThan(0);
  expect(receiveNs + preprocessNs!).toBeCloseTo(1e9, 3);
});

test('content that is refused fails alone and is counted; the model never sees it', () => {
  const { model, asked } = heldModel([row('x')], [row('y')]);
  const refused: number[] = [];
  const processed = processedModel(model, { pre: tenfold, post: undefined }, (ns) => refused.push(ns));
  const outcomes: InferOutcome[] = [];
  processed.infer({ modelName: 'held', inputs: [fp32('raw', [13])] }, 0, (outcome) => outcomes.push(outcome));
  processed.infer({ modelName: 'held', inputs: [fp32('x', [1])] }, 0, (outcome) => outcomes.push(outcome));
  expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.error.code))).toEqual([
    'INVALID_ARGUMENT',
    'INVALID_ARGUMENT',
  ]);
  expect([asked.length, refused.length]).toEqual([0, 2]);
});

const STATES = { stateN: 'state' };
const stepOf = (id: number, flags: Record<string, boolean> = {}) => ({
  modelName: 'held',
  inputs: [fp32('x', [1])],
  parameters: { sequence_id: id, ...flags },
});

test('the state of a sequence goes from step to step, is zeros at the start, and clients never see it', () => {
  const { model, asked } = heldModel([row('x'), row('state', 2)], [row('y'), row('stateN', 2)]);
  const stateful = statefulModel(model, STATES);
  expect(stateful.metadata).toMatchObject({ inputs: [{ name: 'x' }], outputs: [{ name: 'y' }] });
  const answers: InferOutcome[] = [];
  const ask = (request: InferRequest) => stateful.infer(request, 0, (outcome) => answers.push(outcome));
  const stateOf = (index: number) => valuesOf(asked[index]!.request.inputs.find(({ name }) => name === 'state'));
  ask(stepOf(7, { sequence_start: true }));
  // The second step waits for the first; another sequence does not.
  ask(stepOf(7));
  ask(stepOf(8, { sequence_start: true }));
  expect(asked).toHaveLength(2);
  expect([stateOf(0), stateOf(1)]).toEqual([
    [0, 0],
    [0, 0],
  ]);
  asked[0]!.answer([fp32('y', [1]), fp32('stateN', [3, 4])]);
  expect(stateOf(2)).toEqual([3, 4]);
  asked[2]!.answer([fp32('y', [1]), fp32('stateN', [5, 6])]);
  expect(answers.map((outcome) => outcome.ok && outcome.response.outputs.map(({ name }) => name))).toEqual([
    ['y'],
    ['y'],
  ]);
  ask(stepOf(7, { sequence_start: true }));
  expect(stateOf(3)).toEqual([0, 0]);
});

test('a step that is cancelled while it waits is left out; an ended sequence is forgotten; no id is refused', () => {
  const { model, asked } = heldModel([row('x'), row('state', 2)], [row('y'), row('stateN', 2)]);
  const stateful = statefulModel(model, STATES);
  const answers: InferOutcome[] = [];
  const ask = (request: InferRequest) => stateful.infer(request, 0, (outcome) => answers.push(outcome));
  ask(stepOf(1));
  ask(stepOf(1)).cancel();
  ask(stepOf(1, { sequence_end: true }));
  expect(stateful.waiting()).toBe(2);
  asked[0]!.answer([fp32('y', [1]), fp32('stateN', [3, 4])]);
  expect(asked).toHaveLength(2);
  asked[1]!.answer([fp32('y', [1]), fp32('stateN', [5, 6])]);
  ask(stepOf(1));
  expect(valuesOf(asked[2]!.request.inputs.find(({ name }) => name === 'state'))).toEqual([0, 0]);
  ask({ modelName: 'held', inputs: [fp32('x', [1])] });
  expect(answers.at(-1)).toMatchObject({ ok: false, error: { code: 'INVALID_ARGUMENT' } });
});
