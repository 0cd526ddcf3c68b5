import { expect, test } from 'vitest';
import { modelConfig } from '../../../servers/protocol/config.js';
import type { InferRequest, Tensor } from '../../../servers/protocol/types.js';
import { requestValidator } from '../../../servers/protocol/validate.js';
import { PAIR } from '../../fakes/echo-model.js';

const a: Tensor = { name: 'in_a', datatype: 'FP32', shape: [2, 2], data: Buffer.alloc(16) };
const b: Tensor = { name: 'in_b', datatype: 'BYTES', shape: [2], data: Buffer.from([1, 0, 0, 0, 65, 0, 0, 0, 0]) };
const check = requestValidator(PAIR, 4);
const request = (inputs: Tensor[], more: Partial<InferRequest> = {}): InferRequest => ({
  modelName: 'pair',
  inputs,
  ...more,
});

test('A request that fits is as many rows as its first dimension', () => {
  expect(check(request([b, a]))).toBe(2);
});

test('A model without a batch dimension takes any request as one row', () => {
  expect(requestValidator(PAIR, 0)(request([a, b]))).toBe(1);
});

test.each<[string, InferRequest, RegExp]>([
  [
    'an unknown input',
    request([a, b, { ...a, name: 'z' }]),
    /unknown input "z" of model "pair"; expected "in_a", "in_b"/,
  ],
  ['a missing input', request([a]), /input "in_b" of model "pair" is missing; found "in_a", expected "in_a", "in_b"/],
  ['an input twice', request([a, b, a]), /input "in_a" is given twice/],
  ['the datatype', request([{ ...a, datatype: 'FP64' }, b]), /input "in_a": datatype is FP64; expected FP32/],
  ['the rank', request([{ ...a, shape: [4] }, b]), /shape is \[4\], rank 1; expected rank 2, shape \[-1,2\]/],
  ['a dimension', request([{ ...a, shape: [1, 4] }, b]), /shape is \[1,4\]; expected \[-1,2\]/],
  [
    'the bytes',
    request([{ ...a, data: Buffer.alloc(15) }, b]),
    /input "in_a": has 15 bytes; expected 16 for FP32 \[2,2\]/,
  ],
  ['the BYTES elements', request([a, { ...b, shape: [3] }]), /input "in_b": has 2 BYTES elements; expected 3/],
  ['a BYTES length', request([a, { ...b, data: Buffer.from([9, 0, 0, 0]) }]), /points past the end of its 4 bytes/],
  ['different rows', request([a, { ...b, shape: [1], data: b.data.subarray(0, 5) }]), /"in_b" has 1 rows .* "in_a" 2/],
  [
    'no rows',
    request([
      { ...a, shape: [0, 2], data: Buffer.alloc(0) },
      { ...b, shape: [0], data: Buffer.alloc(0) },
    ]),
    /has 0 rows .* at least 1/,
  ],
  [
    'too many rows',
    request([
      { ...a, shape: [5, 2], data: Buffer.alloc(40) },
      { ...b, shape: [5], data: Buffer.alloc(20) },
    ]),
    /has 5 rows .* at most 4/,
  ],
  [
    'an unknown output',
    request([a, b], { outputs: [{ name: 'z' }] }),
    /unknown output "z" of model "pair"; expected "out_a", "out_b"/,
  ],
  [
    'an output twice',
    request([a, b], { outputs: [{ name: 'out_a' }, { name: 'out_a' }] }),
    /"out_a" is asked for twice/,
  ],
  [
    'classification',
    request([a, b], { outputs: [{ name: 'out_a', parameters: { classification: 3 } }] }),
    /classification extension is not supported/,
  ],
])('A request is refused for %s', (_what, bad, message) => {
  expect(() => check(bad)).toThrow(message);
});

test('Triton’s configuration has its own datatypes, and dims without the batch dimension', () => {
  const serving = { backend: 'onnxruntime', maxBatchSize: 4, instances: [] };
  expect(modelConfig(PAIR, serving).input).toEqual([
    { name: 'in_a', data_type: 'TYPE_FP32', dims: [2] },
    { name: 'in_b', data_type: 'TYPE_STRING', dims: [] },
  ]);
  expect(modelConfig(PAIR, { ...serving, maxBatchSize: 0 }).output[0]!.dims).toEqual([-1, 2]);
});
