import { expect, test } from 'vitest';
import { clientProcessing } from '../../clients/processing.js';
import { Requests } from '../../clients/requests.js';
import type { SampleLibrary } from '../../clients/samples/index.js';
import type { CallResult, Transport } from '../../clients/transports/index.js';
import { componentSummaries } from '../../results/components.js';
import { RecordTable } from '../../results/record.js';
import type { Processor } from '../../servers/processing/index.js';
import type { InferRequest, Tensor } from '../../servers/protocol/index.js';

const fp32 = (name: string, value: number): Tensor => ({
  name,
  datatype: 'FP32',
  shape: [1, 1],
  data: new Uint8Array(Float32Array.of(value).buffer),
});
const numberIn = (tensor: Tensor | undefined) => new Float32Array(tensor!.data.slice().buffer)[0];
const row = (name: string) => ({ name, datatype: 'FP32' as const, shape: [-1, 1] });

/** A clock that a processor or a call sets forward. */
const time = { ns: 0 };
const timeline = { now: () => time.ns } as ConstructorParameters<typeof Requests>[3];

const samples: SampleLibrary = {
  name: 's',
  totalSampleCount: 2,
  performanceSampleCount: 2,
  sha256: '',
  inputs: (index) => [fp32('raw', index)],
};
const pre: Processor = {
  inputs: [row('raw')],
  outputs: [row('x')],
  run: ([raw]) => {
    time.ns += 300;
    if (numberIn(raw) === 1) throw new Error('no such sample');
    return [fp32('x', 10)];
  },
};
const post: Processor = { inputs: [row('y')], outputs: [row('z')], run: ([y]) => [fp32('z', -numberIn(y)!)] };

/** Sent after 100, first byte after 1,000 more of which the server tells 800, completed after another 200. */
function transport(seen: InferRequest[]): Transport {
  return {
    encode: (request) => request,
    infer(encoded, done) {
      seen.push(encoded as InferRequest);
      const begin = time.ns;
      time.ns += 1300;
      const timings = { receiveNs: 0, queueNs: 0, computeInputNs: 0, computeInferNs: 800, computeOutputNs: 0 };
      const told = { ...timings, serialiseNs: 0, batchSize: 1, executionId: 1, totalNs: 800 };
      done({
        outcome: 'ok',
        sentNs: begin + 100,
        firstByteNs: begin + 1100,
        completedNs: begin + 1300,
        timings: told,
        response: () => ({ modelName: 'm', outputs: [fp32('y', 7)] }),
      });
      return { cancel: () => {} };
    },
  } as Transport;
}

test('what the client does itself is a component of its own: preprocess 300 ns, and every nanosecond is explained', () => {
  time.ns = 0;
  const seen: InferRequest[] = [];
  const answers: (number | undefined)[] = [];
  const wire = transport(seen);
  const processing = clientProcessing({ pre, post: undefined }, wire, samples, 'm');
  const table = new RecordTable(1);
  const judge = (_: number, result: CallResult) => {
    answers.push(numberIn(result.response?.().outputs[0]));
    return 1;
  };
  const requests = new Requests(table, 0, false, timeline, wire, () => undefined, { judge, kind: 'share' }, processing);
  requests.send(0, 0, 0, () => {}, 0);
  expect(numberIn(seen[0]!.inputs[0])).toBe(10);
  expect(answers).toEqual([7]);
  expect([table.processedAt, table.preprocessNs[0], table.correct[0]]).toEqual(['client', 300, 1]);
  const { components, closure } = componentSummaries(table, Uint32Array.of(0));
  const meanOf = (name: string) => components.find((each) => each.name === name)?.latencyNs.mean;
  expect([meanOf('preprocess'), meanOf('send'), meanOf('network'), meanOf('residual')]).toEqual([300, 100, 200, 0]);
  expect(closure).toBe(1);
});

test('the postprocessor’s answer is the one that is judged, and its time is the request’s', () => {
  const seen: InferRequest[] = [];
  const wire = transport(seen);
  const processing = clientProcessing({ pre: undefined, post }, wire, samples, 'm');
  const table = new RecordTable(1);
  const answers: (number | undefined)[] = [];
  const judge = (_: number, result: CallResult) => {
    answers.push(numberIn(result.response?.().outputs[0]));
    return Number.NaN;
  };
  const requests = new Requests(table, 0, false, timeline, wire, () => undefined, { judge, kind: 'share' }, processing);
  requests.send(0, 0, 0, () => {}, 0);
  expect(seen[0]!.outputs).toEqual([{ name: 'y' }]);
  expect(answers).toEqual([-7]);
  expect(Number.isNaN(table.postprocessNs[0]!)).toBe(false);
});

test('a sample that can’t be processed fails as "preprocess" and is never sent', async () => {
  const seen: InferRequest[] = [];
  const wire = transport(seen);
  const processing = clientProcessing({ pre, post }, wire, samples, 'm');
  const table = new RecordTable(1);
  const requests = new Requests(table, 0, false, timeline, wire, () => undefined, undefined, processing);
  const ok = await new Promise<boolean>((resolve) => {
    requests.send(1, 0, 0, (_, wasOk) => resolve(wasOk), 0);
  });
  expect(ok).toBe(false);
  expect(table.errorCodes[table.error[0]!]).toBe('preprocess');
  expect(seen).toEqual([]);
});
