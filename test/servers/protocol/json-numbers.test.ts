import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { float32Text, takeNumbers } from '../../../servers/protocol/json-numbers.js';
import { decodeJsonRequest } from '../../../servers/protocol/json-request.js';

fc.configureGlobal({ seed: 20_261_125 });

function text(...values: number[]): string {
  return float32Text(new DataView(Float32Array.from(values).buffer), values.length);
}

const taken = (body: string) => takeNumbers(Buffer.from(body));
const body = (data: string) => `{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":${data}}]}`;

describe('FP32 elements as JSON', () => {
  test('have nine significant digits at most, and no zeros behind', () => {
    expect(text(0, -0, 1, -2.5, 0.1, 1 / 3, 100, 16_777_216)).toBe(
      '[0,-0,1,-2.5,0.100000001,0.333333343,100,16777216]',
    );
    expect(text(1e-5, 0.001, 999_999_936, 0.99999994)).toBe('[0.00000999999975,0.00100000005,999999936,0.99999994]');
    expect(text(3e38, 1e-30, Number.NaN, Number.NEGATIVE_INFINITY)).toBe('[3.00000001e+38,1e-30,"NaN","-Infinity"]');
    expect(text()).toBe('[]');
  });

  test('every float32 comes back exactly', () => {
    const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
    const near = fc.tuple(fc.integer({ min: -60, max: 40 }), fc.integer({ min: -3, max: 3 })).map(([power, ulps]) => {
      const bits = new Int32Array(Float32Array.of(10 ** (power / 4)).buffer);
      bits[0]! += ulps;
      return new Float32Array(bits.buffer)[0]!;
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(finite, near), { maxLength: 20 }), (values) => {
        const back = JSON.parse(text(...values)) as number[];
        expect(Float32Array.from(back)).toEqual(Float32Array.from(values));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('numbers taken out of a body', () => {
  test('are those that JSON.parse reads, to the last bit', () => {
    const number = fc.oneof(
      fc.integer().map(String),
      fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => text(value).slice(1, -1)),
      fc
        .tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.integer({ min: -20, max: 15 }))
        .map(([m, e]) => `${m}e${e}`),
      fc.constantFrom('0', '-0', '0.5', '1E+2', '-1.25e-3', '123456789012345', ' 7 ', '0.000001'),
    );
    fc.assert(
      fc.property(fc.array(number, { minLength: 1 }), (numbers) => {
        const data = `[${numbers.join(',')}]`;
        const got = taken(body(data));
        const expected = JSON.parse(data) as number[];
        if (got === undefined) expect(numbers.some((each) => /e|\d{15}/i.test(each) || each.length > 15)).toBe(true);
        else expect([...got.arrays[0]!]).toEqual(expected);
      }),
    );
  });

  test.each([
    ['nested', '[[1],[2]]'],
    ['words', '["NaN"]'],
    ['booleans', '[true]'],
    ['sixteen digits, which could be rounded twice', '[0.1234567890123456]'],
    ['integers beyond 2^53', '[9007199254740993]'],
    ['a zero in front', '[01]'],
    ['no digit behind the point', '[1.]'],
    ['no digit before it', '[.5]'],
    ['two commas', '[1,,2]'],
    ['a comma at the end', '[1,]'],
    ['an empty exponent', '[1e]'],
    ['two numbers without a comma', '[1 2]'],
    ['no end', '[1'],
    ['a minus alone', '[-]'],
    ['a plus', '[+1]'],
    ['no array', '3'],
  ])('%s are left to the general parser', (_what, data) => {
    expect(taken(body(data))).toBeUndefined();
  });

  test('only of tensors: not of parameters, not of texts that look alike', () => {
    const tricky =
      '{"id":"\\"data\\":[1]","parameters":{"a":"data"},"inputs":[{"name":"data","datatype":"FP32","shape":[2],"data":[1,2]}]}';
    const request = decodeJsonRequest(Buffer.from(tricky), undefined, 'm');
    expect(request.id).toBe('"data":[1]');
    expect(request.inputs[0]!.name).toBe('data');
    expect([...new Float32Array(request.inputs[0]!.data.slice().buffer)]).toEqual([1, 2]);
    expect(() => decodeJsonRequest(Buffer.from('{"inputs":[],"parameters":{"data":[1]}}'), undefined, 'm')).toThrow(
      'parameters.data',
    );
    expect(() => decodeJsonRequest(Buffer.from(body('7')), undefined, 'm')).toThrow('expected an array');
  });

  test('a wrong count or a wrong datatype is told as before', () => {
    expect(() => decodeJsonRequest(Buffer.from(body('[1,2]')), undefined, 'm')).toThrow(
      'has 2 elements; expected 1 for shape [1]',
    );
    const int8 = body('[300]').replace('FP32', 'INT8');
    expect(() => decodeJsonRequest(Buffer.from(int8), undefined, 'm')).toThrow(
      'element 0 is 300; expected an integer from -128 to 127',
    );
    const bool = body('[1]').replace('FP32', 'BOOL');
    expect(() => decodeJsonRequest(Buffer.from(bool), undefined, 'm')).toThrow('expected true or false');
    const bytes = body('[1]').replace('FP32', 'BYTES');
    expect(() => decodeJsonRequest(Buffer.from(bytes), undefined, 'm')).toThrow('expected a string for BYTES');
  });
});
