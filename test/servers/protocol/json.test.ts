import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { INFER_HEADER, type JsonMessage, parseHeaderLength } from '../../../servers/protocol/json.js';
import { bytesToData, dataToBytes } from '../../../servers/protocol/json-data.js';
import { decodeJsonRequest, encodeJsonRequest, inferPath } from '../../../servers/protocol/json-request.js';
import { decodeJsonResponse, encodeJsonResponse } from '../../../servers/protocol/json-response.js';
import { parseJson } from '../../../servers/protocol/json-text.js';
import { splitBytes } from '../../../servers/protocol/tensors.js';
import { emptyTimings, timingsFromParameters } from '../../../servers/protocol/timings.js';
import type { InferRequest, Tensor } from '../../../servers/protocol/types.js';
import { anyTensor } from '../../fakes/arbitrary-tensors.js';

const uniqueTensors = fc.uniqueArray(anyTensor, { selector: ({ name }) => name, maxLength: 4 });
const bodyOf = (message: JsonMessage) => Buffer.concat(message.parts);
const decode = (body: string | Buffer, headerLength?: number) =>
  decodeJsonRequest(Buffer.from(body as string), headerLength, 'm', '1');
const request = (input: object, more: object = {}) => JSON.stringify({ inputs: [input], ...more });

fc.configureGlobal({ seed: 20_260_801 });

describe('requests', () => {
  test.each([false, true])('A request is decoded to what was encoded (binary: %s)', (binary) => {
    fc.assert(
      fc.property(uniqueTensors, fc.string(), (inputs, id) => {
        const sent: InferRequest = { modelName: 'm', modelVersion: '1', id, inputs, parameters: { priority: 2 } };
        const message = encodeJsonRequest(sent, binary);
        const got = decodeJsonRequest(bodyOf(message), message.headerLength, 'm', '1');
        expect(plain(got.inputs)).toEqual(plain(inputs));
        expect(got.id).toBe(id);
        expect(got.parameters?.priority).toBe(2);
      }),
    );
  });

  test('A header that comes again is read the same, with the new content; another length of body is refused again', () => {
    const inputs: Tensor[] = [
      { name: 'a', datatype: 'FP32', shape: [1, 2], data: Buffer.from('abcdefgh') },
      { name: 'b', datatype: 'UINT8', shape: [3], data: Buffer.from('xyz'), parameters: { p: 1 } },
    ];
    const sent = { modelName: 'm', inputs, outputs: [{ name: 'o' }] };
    const message = encodeJsonRequest(sent, true);
    const body = bodyOf(message);
    const first = decodeJsonRequest(body, message.headerLength, 'm', '1');
    const freed: string[] = [];
    const again = Buffer.concat([body.subarray(0, message.headerLength), Buffer.from('ABCDEFGHXYZ')]);
    const second = decodeJsonRequest(again, message.headerLength, 'other', '2', () => freed.push('second'));
    expect(second).toMatchObject({
      modelName: 'other',
      modelVersion: '2',
      outputs: first.outputs,
      parameters: first.parameters,
    });
    expect(second.inputs.map(({ data, ...rest }) => [rest, String(data)])).toEqual([
      [{ name: 'a', datatype: 'FP32', shape: [1, 2], parameters: undefined }, 'ABCDEFGH'],
      [{ name: 'b', datatype: 'UINT8', shape: [3], parameters: { p: 1 } }, 'XYZ'],
    ]);
    expect(String(first.inputs[0]!.data)).toBe('abcdefgh');
    second.consumed?.();
    expect(freed).toEqual(['second']);
    expect(() => decodeJsonRequest(again.subarray(0, -1), message.headerLength, 'm')).toThrow(/only 2 bytes are left/);
    expect(() => decodeJsonRequest(Buffer.concat([again, again]), message.headerLength, 'm')).toThrow(
      /after its tensors/,
    );
  });

  test('Nested and flat data are the same tensor', () => {
    const nested = decode(
      request({
        name: 'x',
        datatype: 'INT32',
        shape: [2, 2],
        data: [
          [1, 2],
          [3, 4],
        ],
      }),
    );
    const flat = decode(request({ name: 'x', datatype: 'INT32', shape: [2, 2], data: [1, 2, 3, 4] }));
    expect(nested.inputs).toEqual(flat.inputs);
  });

  test('Binary tensors are views into the body, in the order of the inputs', () => {
    const head =
      '{"inputs":[{"name":"a","datatype":"UINT8","shape":[2],"parameters":{"binary_data_size":2}},' +
      '{"name":"b","datatype":"UINT8","shape":[1],"parameters":{"binary_data_size":1}}]}';
    const body = Buffer.concat([Buffer.from(head), Buffer.from([1, 2, 3])]);
    const { inputs } = decodeJsonRequest(body, head.length, 'm');
    expect(inputs.map(({ data }) => [...data])).toEqual([[1, 2], [3]]);
    expect(inputs[0]!.data.buffer).toBe(body.buffer);
    expect(inputs[0]!.parameters).toBeUndefined();
  });

  test('Integers beyond 2^53 keep their digits both ways', () => {
    const data = ['9223372036854775807', '-9223372036854775808', '9007199254740993'];
    const got = decode(`{"inputs":[{"name":"x","datatype":"INT64","shape":[3],"data":[${data}]}]}`);
    expect(bytesToData(got.inputs[0]!)).toBe(`[${data}]`);
    const big = decode('{"inputs":[{"name":"x","datatype":"UINT64","shape":[1],"data":[18446744073709551615]}]}');
    expect(bytesToData(big.inputs[0]!)).toBe('[18446744073709551615]');
  });

  test('A model name with a slash stays one segment of the path', () => {
    expect(inferPath('a/b', '2')).toBe('/v2/models/a%2Fb/versions/2/infer');
  });
});

describe('what is refused says what was found and what is expected', () => {
  const x = { name: 'x', datatype: 'UINT8', shape: [2] };
  test.each([
    ['{"inputs":[', /body of the request is not valid JSON/],
    ['[]', /request is \[\]; expected an object/],
    ['{}', /inputs is undefined; expected an array/],
    [request({ ...x, name: 1 }), /input\[0\].name is 1; expected a string/],
    [request({ ...x, datatype: 'UINT9' }), /input "x": unknown datatype "UINT9"; expected one of BOOL, /],
    [request({ ...x, shape: [2, -1], data: [1] }), /input "x": shape is \[2,-1\]; expected an array of integers ≥ 0/],
    [request({ ...x, data: [1] }), /input "x": "data" has 1 elements; expected 2 for shape \[2\]/],
    [request({ ...x, data: [1, 256] }), /input "x": element 1 is 256; expected an integer from 0 to 255 for UINT8/],
    [request({ ...x, data: [1, 2.5] }), /element 1 is 2.5; expected an integer/],
    [request({ ...x }), /input "x": "data" is undefined; expected an array/],
    [request({ ...x, shape: [2, 2], data: [[1, 2], [3]] }), /has 1 elements at depth 1; expected 2 for shape \[2,2\]/],
    [request({ ...x, datatype: 'FP32', data: [1, null] }), /element 1 is null; expected a number/],
    [request({ ...x, datatype: 'BOOL', data: [true, 1] }), /element 1 is 1; expected true or false/],
    [request({ ...x, datatype: 'BYTES', data: ['a', 1] }), /element 1 is 1; expected a string/],
    [request({ ...x, data: [1, 2] }, { id: 5 }), /id is 5; expected a string/],
    [request({ ...x, data: [1, 2] }, { parameters: { a: {} } }), /parameters.a is {}; expected a string, a number/],
    [request({ ...x, parameters: { binary_data_size: 2 } }), /binary_data_size is 2, but only 0 bytes are left/],
    [request({ ...x, parameters: { binary_data_size: -1 } }), /binary_data_size is -1; expected a number of bytes/],
    [request({ ...x, data: [1, 2], parameters: { binary_data_size: 0 } }), /has "data" and binary_data_size/],
    [request({ ...x, parameters: { shared_memory_region: 'r' } }), /shared memory is not supported/],
  ])('%s', (body, message) => {
    expect(() => decode(body)).toThrow(message);
  });

  test('Bytes after the last tensor', () => {
    const head = request({ ...x, parameters: { binary_data_size: 2 } });
    expect(() => decode(Buffer.from(`${head}abc`), head.length)).toThrow(
      /has 1 bytes after its tensors; expected none/,
    );
  });

  test(`An ${INFER_HEADER} that is no length, or beyond the body`, () => {
    expect(() => parseHeaderLength('abc', 10)).toThrow(/is "abc"; expected an integer from 0 to 10/);
    expect(() => parseHeaderLength('11', 10)).toThrow(/is "11"; expected an integer from 0 to 10/);
    expect(parseHeaderLength('10', 10)).toBe(10);
  });
});

describe('responses', () => {
  const output: Tensor = { name: 'y', datatype: 'FP32', shape: [1], data: Buffer.from([0, 0, 128, 63]) };
  const answer = (asked: Partial<InferRequest>) => {
    const timings = { ...emptyTimings(), queueNs: 12.4, batchSize: 4 };
    const sent = { modelName: 'm', inputs: [], ...asked };
    return encodeJsonResponse(sent, { modelName: 'm', modelVersion: '1', outputs: [output] }, timings, 0);
  };

  test('A response is decoded to what was encoded, JSON or binary', () => {
    fc.assert(
      fc.property(uniqueTensors, fc.boolean(), (outputs, binary) => {
        const asked = { modelName: 'm', inputs: [], id: 'ä', parameters: { binary_data_output: binary } };
        const message = encodeJsonResponse(asked, { modelName: 'm', outputs }, emptyTimings(), 0);
        const got = decodeJsonResponse(bodyOf(message), message.headerLength);
        expect(plain(got.outputs)).toEqual(plain(outputs));
        expect(got.id).toBe('ä');
      }),
    );
  });

  test('Outputs are JSON by default, binary where request or output ask, and the output has the last word', () => {
    expect(answer({}).headerLength).toBeUndefined();
    expect(answer({ parameters: { binary_data_output: true } }).headerLength).toBeGreaterThan(0);
    expect(answer({ outputs: [{ name: 'y', parameters: { binary_data: true } }] }).headerLength).toBeGreaterThan(0);
    const outputs = [{ name: 'y', parameters: { binary_data: false } }];
    expect(answer({ parameters: { binary_data_output: true }, outputs }).headerLength).toBeUndefined();
  });

  test('The timings travel as integers in the parameters', () => {
    const got = decodeJsonResponse(bodyOf(answer({})), undefined);
    expect(timingsFromParameters(got.parameters)).toMatchObject({ queueNs: 12, batchSize: 4, executionId: 0 });
    expect(timingsFromParameters({})).toBeUndefined();
    // Not told is not 0.
    expect(got.parameters).not.toHaveProperty('servemark_arrival_ns');
  });

  test('Bytes that are no text are refused in JSON, with the remedy', () => {
    const bytes: Tensor = { name: 'y', datatype: 'BYTES', shape: [1], data: Buffer.from([1, 0, 0, 0, 0xff]) };
    expect(() => bytesToData(bytes)).toThrow(/tensor "y".*not UTF-8.*"binary_data": true/);
  });
});

describe('JSON', () => {
  test('Infinities and NaN are strings, as in proto3 JSON, and −0 keeps its sign', () => {
    const data = dataToBytes('x', 'FP32', [4], ['NaN', 'Infinity', '-Infinity', -0]);
    expect(bytesToData({ name: 'x', datatype: 'FP32', shape: [4], data })).toBe('["NaN","Infinity","-Infinity",-0]');
  });

  test('BYTES elements are UTF-8', () => {
    const data = dataToBytes('x', 'BYTES', [2], ['äß', '']);
    expect(splitBytes(data).map((bytes) => Buffer.from(bytes).toString())).toEqual(['äß', '']);
  });

  test('Only long integers outside strings become bigint', () => {
    const text =
      '{"a":"12345678901234567890","b":12345678901234567890,"c":0.1234567890123456,"d":1e20,"e":"\\"1234567890123456789"}';
    expect(parseJson(text, 'it')).toEqual({
      a: '12345678901234567890',
      b: 12345678901234567890n,
      c: 0.1234567890123456,
      d: 1e20,
      e: '"1234567890123456789',
    });
    expect(() => parseJson('[0012345678901234567890]', 'it')).toThrow(/it is not valid JSON/);
  });
});

function plain(tensors: readonly Tensor[]) {
  return tensors.map(({ name, datatype, shape, data }) => [name, datatype, shape, Buffer.from(data).toString('hex')]);
}
