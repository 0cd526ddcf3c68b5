import { describe, expect, test } from 'vitest';
import { Batching } from '../../../servers/executors/batching.js';
import { joinBytes, splitBytes } from '../../../servers/protocol/tensors.js';
import type { InferRequest, Tensor, TensorMetadata } from '../../../servers/protocol/types.js';
import type { RuntimeMetadata, RuntimeTensor } from '../../../servers/runtimes/contract.js';

const A: TensorMetadata = { name: 'a', datatype: 'FP32', shape: [-1, 2] };
const S: TensorMetadata = { name: 's', datatype: 'BYTES', shape: [-1, 2] };

describe('batching', () => {
  test('joins along the batch dimension, rows in request order, for each input', () => {
    const batching = new Batching(metadata([A, S], [A]));
    const [a, s] = batching.join(
      [
        request(fp32('a', [1, 2], [1, 2]), texts('s', [1, 2], ['x', 'yy'])),
        request(texts('s', [2, 2], ['', 'é', 'z', 'w']), fp32('a', [2, 2], [3, 4, 5, 6])),
      ],
      3,
    );
    expect([a!.shape, s!.shape]).toEqual([
      [3, 2],
      [3, 2],
    ]);
    expect([...new Float32Array(a!.buffer)]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(readTexts(new Uint8Array(s!.buffer))).toEqual(['x', 'yy', '', 'é', 'z', 'w']);
  });

  test('pads with rows of zeros and empty texts up to the rows asked for', () => {
    const batching = new Batching(metadata([A, S], [A]));
    const [a, s] = batching.join([request(fp32('a', [1, 2], [1, 2]), texts('s', [1, 2], ['x', 'y']))], 3);
    expect([...new Float32Array(a!.buffer)]).toEqual([1, 2, 0, 0, 0, 0]);
    expect(readTexts(new Uint8Array(s!.buffer))).toEqual(['x', 'y', '', '', '', '']);
  });

  test('splits what it joined: every request gets its rows as views of one buffer', () => {
    const batching = new Batching(metadata([A], [A, S]));
    const buffer = new Float32Array([1, 2, 3, 4, 5, 6]).buffer;
    const words = new Uint8Array(joinBytes(['a', 'bb', 'ccc', '', 'e', 'f'].map((text) => Buffer.from(text))));
    const outputs: RuntimeTensor[] = [
      { name: 'a', datatype: 'FP32', shape: [3, 2], buffer },
      { name: 's', datatype: 'BYTES', shape: [3, 2], buffer: words.buffer },
    ];
    const [first, second] = batching.split(outputs, [request(), request()], [1, 2], 3);
    expect(first!.map((tensor) => tensor.shape)).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(readFloats(second![0]!)).toEqual([3, 4, 5, 6]);
    expect(readTexts(first![1]!.data)).toEqual(['a', 'bb']);
    expect(readTexts(second![1]!.data)).toEqual(['ccc', '', 'e', 'f']);
    expect(second![0]!.data.buffer).toBe(buffer);
  });

  test('gives a request only the outputs that it asked for, and computes only those that anybody did', () => {
    const outputs = ['p', 'q', 'r'].map((name) => ({ ...A, name }));
    const batching = new Batching(metadata([A], outputs));
    const p = { ...request(), outputs: [{ name: 'p' }] };
    const q = { ...request(), outputs: [{ name: 'q' }] };
    expect(batching.outputsFor([p, q])).toEqual(['p', 'q']);
    expect(batching.outputsFor([p, request()])).toBeUndefined();
    const computed = ['p', 'q'].map((name) => ({
      name,
      datatype: 'FP32' as const,
      shape: [2, 1],
      buffer: new ArrayBuffer(8),
    }));
    expect(batching.split(computed, [p, q], [1, 1], 2).map(([tensor]) => tensor!.name)).toEqual(['p', 'q']);
  });

  test('requests that differ in a dynamic dimension have different shape keys; without one there is no key', () => {
    const varying = new Batching(metadata([{ ...A, shape: [-1, -1] }], [A]));
    const key = (columns: number) => varying.shapeKeyOf(request(fp32('a', [1, columns], new Array(columns).fill(0))));
    expect(key(3)).toBe(key(3));
    expect(key(3)).not.toBe(key(4));
    expect(new Batching(metadata([A], [A])).shapeKeyOf(request(fp32('a', [1, 2], [0, 0])))).toBeUndefined();
  });

  test('an output without the batch’s rows is refused, naming it', () => {
    const batching = new Batching(metadata([A], [A]));
    const output: RuntimeTensor = { name: 'a', datatype: 'FP32', shape: [1, 2], buffer: new ArrayBuffer(8) };
    expect(() => batching.split([output], [request(), request()], [1, 1], 2)).toThrow(
      'output "a" has shape [1,2], expected 2 rows',
    );
  });

  test('a model with a fixed first dimension gets and gives whole tensors', () => {
    const fixed = { ...A, shape: [2, 2] };
    const batching = new Batching(metadata([fixed], [{ ...A, shape: [4] }]));
    expect(batching.batches).toBe(false);
    expect(batching.join([request(fp32('a', [2, 2], [1, 2, 3, 4]))], 1)[0]!.shape).toEqual([2, 2]);
    const output: RuntimeTensor = { name: 'a', datatype: 'FP32', shape: [4], buffer: new ArrayBuffer(16) };
    expect(batching.split([output], [request()], [1], 1)[0]![0]!.shape).toEqual([4]);
  });

  test('default outputs are zeros in the shape of an answer', () => {
    const [a, s] = new Batching(metadata([A], [A, S])).defaultOutputs(request(), 3);
    expect([a!.shape, readFloats(a!)]).toEqual([
      [3, 2],
      [0, 0, 0, 0, 0, 0],
    ]);
    expect(readTexts(s!.data)).toEqual(['', '', '', '', '', '']);
  });
});

function metadata(inputs: readonly TensorMetadata[], outputs: readonly TensorMetadata[]): RuntimeMetadata {
  return { platform: 'test', backend: 'test', inputs, outputs, providers: [] };
}

function request(...inputs: Tensor[]): InferRequest {
  return { modelName: 'm', inputs };
}

function fp32(name: string, shape: readonly number[], values: readonly number[]): Tensor {
  return { name, datatype: 'FP32', shape, data: new Uint8Array(new Float32Array(values).buffer) };
}

function texts(name: string, shape: readonly number[], values: readonly string[]): Tensor {
  return { name, datatype: 'BYTES', shape, data: joinBytes(values.map((value) => Buffer.from(value))) };
}

function readTexts(data: Uint8Array): string[] {
  return splitBytes(data).map((element) => Buffer.from(element).toString());
}

function readFloats(tensor: Tensor): number[] {
  return [...new Float32Array(tensor.data.slice().buffer)];
}
