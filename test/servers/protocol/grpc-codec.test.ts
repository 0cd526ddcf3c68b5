import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../servers/protocol/errors.js';
import {
  decodeGrpcRequest,
  decodeGrpcResponse,
  encodeGrpcRequest,
  encodeGrpcResponse,
} from '../../../servers/protocol/grpc-codec.js';
import { inferenceProtoPath } from '../../../servers/protocol/grpc-service.js';
import { bytesToData } from '../../../servers/protocol/json-data.js';
import { emptyTimings, timingsFromParameters } from '../../../servers/protocol/timings.js';
import type { InferRequest, Tensor } from '../../../servers/protocol/types.js';
import { anyTensor } from '../../fakes/arbitrary-tensors.js';

const proto = protobuf.loadSync(inferenceProtoPath());
const Request = proto.lookupType('inference.ModelInferRequest');
const Response = proto.lookupType('inference.ModelInferResponse');
const bytes = (message: object, type = Request) => Buffer.from(type.encode(type.fromObject(message)).finish());

const anyParameters = fc.dictionary(
  fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
  fc.oneof(
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.string(),
    fc.double({ noInteger: true, noNaN: true }),
    fc.constant(2n ** 63n),
  ),
  { noNullPrototype: true },
);
const anyRequest: fc.Arbitrary<InferRequest> = fc.record({
  modelName: fc.string({ minLength: 1, unit: 'grapheme' }),
  modelVersion: fc.constantFrom(undefined, '1'),
  id: fc.constantFrom(undefined, 'id ä'),
  parameters: anyParameters,
  inputs: fc.array(
    fc.tuple(anyTensor, anyParameters).map(([tensor, parameters]) => ({ ...tensor, parameters })),
    {
      maxLength: 3,
    },
  ),
  outputs: fc.array(fc.record({ name: fc.string({ minLength: 1 }), parameters: anyParameters }), { maxLength: 2 }),
});

fc.configureGlobal({ seed: 20_260_802 });

describe('round trips', () => {
  test('A request is decoded to what was encoded', () => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        expect(plain(decodeGrpcRequest(encodeGrpcRequest(request)))).toEqual(plain(request));
      }),
    );
  });

  test('A response is decoded to what was encoded, with the request’s id and the timings', () => {
    fc.assert(
      fc.property(fc.array(anyTensor, { maxLength: 3 }), (outputs) => {
        const timings = { ...emptyTimings(), queueNs: 3e9, executionId: 5 };
        const message = encodeGrpcResponse(
          { modelName: 'm', id: 'i', inputs: [] },
          { modelName: 'm', outputs },
          timings,
          0,
        );
        const got = decodeGrpcResponse(message);
        expect(got.outputs.map(plainTensor)).toEqual(outputs.map(plainTensor));
        expect(got.id).toBe('i');
        expect(timingsFromParameters(got.parameters)).toMatchObject({ queueNs: 3e9, executionId: 5 });
      }),
    );
  });

  test('Raw contents are views into the message', () => {
    const message = encodeGrpcRequest({ modelName: 'm', inputs: [tensor('UINT8', [3], Buffer.from([1, 2, 3]))] });
    expect(decodeGrpcRequest(message).inputs[0]!.data.buffer).toBe(message.buffer);
  });

  test('A message of some MB with long names is coded', () => {
    const name = 'n'.repeat(20_000);
    const request = { modelName: name, inputs: [tensor('FP32', [1, 1_000_000], Buffer.alloc(4_000_000, 7))] };
    expect(decodeGrpcRequest(encodeGrpcRequest(request))).toMatchObject({ modelName: name });
  });
});

describe('against protobufjs with the same .proto', () => {
  test('It reads our requests', () => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        const read = Request.toObject(Request.decode(encodeGrpcRequest(request)), {
          longs: Number,
          bytes: String,
          arrays: true,
        });
        expect(read.modelName).toBe(request.modelName);
        expect(read.inputs.map((input: { name: string }) => input.name)).toEqual(
          request.inputs.map(({ name }) => name),
        );
        expect(read.rawInputContents).toEqual(request.inputs.map(({ data }) => Buffer.from(data).toString('base64')));
        expect(Object.keys(read.parameters ?? {}).sort()).toEqual(Object.keys(request.parameters!).sort());
      }),
    );
  });

  test('We read its requests, with each kind of parameter', () => {
    const got = decodeGrpcRequest(
      bytes({
        modelName: 'm',
        modelVersion: '3',
        id: 'x',
        parameters: {
          b: { boolParam: true },
          i: { int64Param: -5 },
          s: { stringParam: '' },
          d: { doubleParam: 0.5 },
          u: { uint64Param: '18446744073709551615' },
        },
        inputs: [{ name: 'x', datatype: 'UINT8', shape: [1, 2], parameters: { p: { int64Param: 1 } } }],
        outputs: [{ name: 'y', parameters: { binary_data: { boolParam: false } } }],
        rawInputContents: [Buffer.from([1, 2])],
      }),
    );
    expect(got).toMatchObject({ modelName: 'm', modelVersion: '3', id: 'x' });
    expect(got.parameters).toEqual({ b: true, i: -5, s: '', d: 0.5, u: 18446744073709551615n });
    expect(got.inputs[0]).toMatchObject({ shape: [1, 2], parameters: { p: 1 } });
    expect(got.outputs).toEqual([{ name: 'y', parameters: { binary_data: false } }]);
  });

  test.each([
    ['BOOL', 'boolContents', [true, false], '[true,false]'],
    ['INT8', 'intContents', [-128, 127], '[-128,127]'],
    ['INT16', 'intContents', [-32768, 5], '[-32768,5]'],
    ['INT32', 'intContents', [-2147483648, 1], '[-2147483648,1]'],
    ['INT64', 'int64Contents', ['-9223372036854775808', '9007199254740993'], '[-9223372036854775808,9007199254740993]'],
    ['UINT8', 'uintContents', [0, 255], '[0,255]'],
    ['UINT16', 'uintContents', [0, 65535], '[0,65535]'],
    ['UINT32', 'uintContents', [0, 4294967295], '[0,4294967295]'],
    ['UINT64', 'uint64Contents', ['0', '18446744073709551615'], '[0,18446744073709551615]'],
    ['FP32', 'fp32Contents', [0.5, -1], '[0.5,-1]'],
    ['FP64', 'fp64Contents', [0.1, -1], '[0.1,-1]'],
    ['BYTES', 'bytesContents', [Buffer.from('ä'), Buffer.from('')], '["ä",""]'],
  ])('We read typed contents of %s', (datatype, field, values, text) => {
    const input = { name: 'x', datatype, shape: [2], contents: { [field]: values } };
    expect(bytesToData(decodeGrpcRequest(bytes({ modelName: 'm', inputs: [input] })).inputs[0]!)).toBe(text);
    const output = { modelName: 'm', outputs: [input] };
    expect(bytesToData(decodeGrpcResponse(bytes(output, Response)).outputs[0]!)).toBe(text);
  });
});

describe('by hand', () => {
  // Field 5 (inputs) holding: name "x", datatype, shape [2] *unpacked*, contents with single elements.
  const withContents = (datatype: string, contents: number[]) => {
    const type = [...Buffer.from(datatype)];
    const input = [0x0a, 1, 0x78, 0x12, type.length, ...type, 0x18, 2, 0x2a, contents.length, ...contents];
    return Buffer.from([0x2a, input.length, ...input]);
  };

  test('Unpacked elements are read, also beside packed ones', () => {
    const ints = decodeGrpcRequest(withContents('INT32', [0x10, 5, 0x12, 1, 6]));
    expect(bytesToData(ints.inputs[0]!)).toBe('[5,6]');
    const floats = decodeGrpcRequest(withContents('FP32', [0x35, 0, 0, 128, 63, 0x32, 4, 0, 0, 0, 64]));
    expect(bytesToData(floats.inputs[0]!)).toBe('[1,2]');
    expect(floats.inputs[0]!.shape).toEqual([2]);
  });

  test('Unknown fields of every wire type are stepped over', () => {
    const known = encodeGrpcRequest({ modelName: 'm', inputs: [] });
    const unknown = [0x78, 1, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7a, 1, 9, 0x7b, 0x78, 1, 0x7c, 0x7d, 1, 2, 3, 4];
    expect(decodeGrpcRequest(Buffer.from([...unknown, ...known, ...unknown]))).toMatchObject({ modelName: 'm' });
  });
});

describe('what is refused', () => {
  const input = { name: 'x', datatype: 'INT8', shape: [1] };
  test.each([
    [{ inputs: [{ ...input, datatype: 'INT9' }] }, /input "x": unknown datatype "INT9"; expected one of/],
    [{ inputs: [input, input], rawInputContents: [Buffer.from([1])] }, /has 1 entries; expected 2, one for each input/],
    [
      { inputs: [{ ...input, contents: { intContents: [1] } }], rawInputContents: [Buffer.from([1])] },
      /input "x": has typed contents although raw/,
    ],
    [
      { inputs: [{ ...input, contents: { fp32Contents: [1] } }] },
      /input "x": has fp32_contents; expected int_contents for INT8/,
    ],
    [{ inputs: [{ ...input, contents: { intContents: [128] } }] }, /element 0 is 128; expected -128 to 127 for INT8/],
    [{ inputs: [{ ...input, datatype: 'FP16', contents: {} }] }, /FP16 has no typed contents/],
    [
      { inputs: [{ ...input, shape: [-1] }], rawInputContents: [Buffer.from([1])] },
      /shape is \[-1\]; expected integers ≥ 0/,
    ],
  ])('%j', (message, error) => {
    expect(() => decodeGrpcRequest(bytes({ modelName: 'm', ...message }))).toThrow(error);
  });

  test('A message that is cut off anywhere is INVALID_ARGUMENT or still a message, never another error', () => {
    const whole = encodeGrpcRequest({
      modelName: 'm',
      id: 'i',
      parameters: { a: 1 },
      inputs: [tensor('INT8', [3], Buffer.alloc(3))],
    });
    for (let length = 0; length < whole.length; length++) onlyProtocolErrors(whole.subarray(0, length));
    expect(() => decodeGrpcRequest(whole.subarray(0, -1))).toThrow(
      /malformed protobuf message: 3 bytes announced .* 2 there/,
    );
  });

  test('No bytes at all cause another error than INVALID_ARGUMENT', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), onlyProtocolErrors), { numRuns: 2000 });
    onlyProtocolErrors(Buffer.alloc(2000, 0x2b));
  });
});

function onlyProtocolErrors(message: Uint8Array): void {
  try {
    decodeGrpcRequest(message);
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
    expect((error as ProtocolError).code).toBe('INVALID_ARGUMENT');
  }
}

function tensor(datatype: Tensor['datatype'], shape: number[], data: Uint8Array): Tensor {
  return { name: 'x', datatype, shape, data };
}

function plainTensor({ name, datatype, shape, data, parameters }: Tensor) {
  return { name, datatype, shape, data: Buffer.from(data).toString('hex'), parameters: parameters ?? {} };
}

function plain(request: InferRequest) {
  return {
    ...request,
    parameters: request.parameters ?? {},
    inputs: request.inputs.map(plainTensor),
    outputs: (request.outputs ?? []).map(({ name, parameters }) => ({ name, parameters: parameters ?? {} })),
  };
}
