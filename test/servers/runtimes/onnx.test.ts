import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { joinBytes } from '../../../servers/protocol/tensors.js';
import type { Runtime, RuntimeTensor } from '../../../servers/runtimes/contract.js';
import { datatypeOf } from '../../../servers/runtimes/onnx-types.js';
import { createRuntime } from '../../../servers/runtimes/registry.js';
import { type ELEMENT, identityGraph, linearGraph, writeOnnx } from '../../fixtures/onnx-file.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark onnx '));
afterAll(() => rmSync(folder, { recursive: true }));

/** Two elements of each type, as v2's raw bytes. */
const VALUES: readonly (readonly [element: keyof typeof ELEMENT, bytes: Uint8Array])[] = [
  ['bool', new Uint8Array([1, 0])],
  ['uint8', new Uint8Array([1, 255])],
  ['uint16', raw(new Uint16Array([1, 65535]))],
  ['uint32', raw(new Uint32Array([1, 4294967295]))],
  ['uint64', raw(new BigUint64Array([1n, 2n ** 64n - 1n]))],
  ['int8', raw(new Int8Array([-1, 127]))],
  ['int16', raw(new Int16Array([-1, 32767]))],
  ['int32', raw(new Int32Array([-1, 2147483647]))],
  ['int64', raw(new BigInt64Array([-1n, 2n ** 63n - 1n]))],
  // 1 and −2 as half floats
  ['float16', raw(new Uint16Array([0x3c00, 0xc000]))],
  ['float', raw(new Float32Array([1.5, -0]))],
  ['double', raw(new Float64Array([1 / 3, -1e300]))],
  ['string', joinBytes([Buffer.from('é'), Buffer.from('')])],
];

describe('the onnx runtime', () => {
  test('y = x · W with W[i][j] = (i+1)(j+1): a row of ones gives 10, 20, 30', async () => {
    const runtime = await create(linearGraph());
    const [y] = await runtime.execute([floats('x', [2, 4], [1, 1, 1, 1, 0, 0, 0, 1])], 2);
    expect(y).toMatchObject({ name: 'y', datatype: 'FP32', shape: [2, 3] });
    expect([...new Float32Array(y!.buffer)]).toEqual([10, 20, 30, 4, 8, 12]);
  });

  test('tells inputs and outputs; symbolic dimensions are −1', async () => {
    const { metadata } = await create(linearGraph());
    expect(metadata).toMatchObject({
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 3] }],
      providers: ['cpu'],
    });
  });

  test.each(VALUES)('%s goes through bit by bit', async (element, bytes) => {
    const runtime = await create(identityGraph([element]));
    const { datatype } = runtime.metadata.inputs[0]!;
    expect(datatype).toBe(datatypeOf({ float: 'float32', double: 'float64' }[element as string] ?? element));
    const input = { name: `x_${element}`, datatype, shape: [1, 2], buffer: new Uint8Array(bytes).buffer };
    const [output] = await runtime.execute([input], 1);
    expect(new Uint8Array(output!.buffer)).toEqual(new Uint8Array(bytes));
  });

  test('computes only the outputs asked for', async () => {
    const runtime = await create(identityGraph(['float', 'int32']));
    const inputs = [
      floats('x_float', [1, 2], [1, 2]),
      { ...floats('x_int32', [1, 2], [0, 0]), datatype: 'INT32' as const },
    ];
    expect((await runtime.execute(inputs, 1, ['y_int32'])).map(({ name }) => name)).toEqual(['y_int32']);
  });

  test('a file that is no model is named, with what is wrong', async () => {
    const path = join(folder, 'no-model.onnx');
    writeFileSync(path, 'this is no protobuf');
    await expect(createRuntime('onnx', path, {})).rejects.toThrow(
      /no-model\.onnx: ONNX Runtime cannot load it: .*failed/,
    );
  });

  test('an execution provider that this machine lacks is named, with those it has', async () => {
    const options = { executionProviders: ['abacus'] };
    await expect(create(linearGraph(), options)).rejects.toThrow(
      /abacus does not start on this machine.*bundled here are cpu/s,
    );
  });

  test('BF16, which the binding does not carry, is refused when the model is loaded', async () => {
    await expect(create(identityGraph(['bfloat16']))).rejects.toThrow('cannot load it');
  });
});

async function create(graph: Parameters<typeof writeOnnx>[1], options: unknown = {}): Promise<Runtime> {
  return createRuntime('onnx', writeOnnx(join(folder, 'model.onnx'), graph), options);
}

function floats(name: string, shape: readonly number[], values: readonly number[]): RuntimeTensor {
  return { name, datatype: 'FP32', shape, buffer: new Float32Array(values).buffer };
}

function raw(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
