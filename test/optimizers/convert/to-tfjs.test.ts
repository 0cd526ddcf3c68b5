import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { convertTfjs, writeTfjs } from '../../../optimizers/convert/index.js';
import { addConstants, node, valueInfo } from '../../../optimizers/onnx/build.js';
import { checkModel, type OnnxModel, readModel, writeModel } from '../../../optimizers/onnx/index.js';
import { emptyModel, initializer } from '../../../optimizers/onnx/model.js';
import { joinSamples } from '../../../optimizers/onnx/session.js';
import { createRuntime, type RuntimeTensor } from '../../../servers/runtimes/index.js';
import { workFolder } from '../../e2e/folders.js';
import { fashionSamples } from '../../fixtures/fashion.js';
import { FASHION_MLP } from '../../fixtures/onnx-models.js';

const folder = workFolder('to-tfjs');

describe('the embedded model written for TensorFlow.js', () => {
  const path = join(folder, 'fashion.json');
  const files = writeTfjs(readModel(FASHION_MLP), path, FASHION_MLP);

  test('lies in two files of the weights’ own size, and is the same model again as ONNX, bit by bit', async () => {
    expect(files.map((each) => each.path)).toEqual([path, join(folder, 'fashion.weights.bin')]);
    expect(files[1]!.bytes).toBe(7_454_760);
    const back = join(folder, 'back.onnx');
    writeModel(convertTfjs(path), back);
    const input = await pictures(8);
    const [a, b] = [await answers('onnx', FASHION_MLP, input), await answers('onnx', back, input)];
    expect(b.name).toBe(a.name);
    expect(Buffer.from(b.buffer).equals(Buffer.from(a.buffer))).toBe(true);
  });

  test('gives the same classes for 200 pictures, and scores that differ by the order of sums only', async () => {
    const input = await pictures(200);
    const [a, b] = [await answers('onnx', FASHION_MLP, input), await answers('tfjs', path, input)];
    expect([b.name, b.shape]).toEqual([a.name, [200, 10]]);
    const [ours, theirs] = [new Float32Array(a.buffer), new Float32Array(b.buffer)];
    const difference = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i]!)), 0);
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(1e-3);
    expect(classes(theirs)).toEqual(classes(ours));
  });
});

/** x [N, 2] → the given nodes → y [N, 2], with w [2, 2] = [[1, 2], [3, 4]] and b [2] = [10, 20]. */
function net(...nodes: Parameters<typeof node>[]): OnnxModel {
  const model = emptyModel('net', 17);
  model.graph.input.push(valueInfo('x', ['N', 2]));
  model.graph.output.push(valueInfo('y', ['N', 2]));
  addConstants(
    model,
    initializer('w', [2, 2], Float32Array.of(1, 2, 3, 4)),
    initializer('b', [2], Float32Array.of(10, 20)),
  );
  model.graph.node.push(...nodes.map((each) => node(...each)));
  return model;
}

test('MatMul with its Add, a transposed and scaled Gemm, and activations become layers; the answer can be done by hand', async () => {
  const model = net(
    ['MatMul', ['x', 'w'], ['p']],
    ['Add', ['p', 'b'], ['a']],
    ['Relu', ['a'], ['r']],
    ['Gemm', ['r', 'w', 'b'], ['g'], { alpha: 0.5, transB: 1n }],
    ['Identity', ['g'], ['y']],
  );
  const path = join(folder, 'hand.json');
  writeTfjs(model, path, 'hand');
  const input = { name: 'x', datatype: 'FP32', shape: [1, 2], buffer: Float32Array.of(1, -5).buffer } as const;
  const { buffer } = await answers('tfjs', path, input);
  // (1 − 15 + 10, 2 − 20 + 20) = (−4, 2) → (0, 2); half of (0·1 + 2·2, 0·3 + 2·4) = (2, 4), and the bias.
  expect([...new Float32Array(buffer)]).toEqual([12, 24]);
});

test.each<[what: string, model: OnnxModel, message: RegExp]>([
  ['another operator', net(['Erf', ['x'], ['y']]), /node "y\/Erf" \(Erf\) has no layer here\. Allowed: nets of one/],
  [
    'a computed operand',
    net(['Relu', ['w'], ['v']], ['MatMul', ['x', 'v'], ['y']]),
    /"y\/MatMul" \(MatMul\) is no dense layer \(its second operand is computed, not constant\)/,
  ],
  [
    'a branch',
    net(['Relu', ['x'], ['r']], ['Tanh', ['x'], ['t']], ['Add', ['r', 't'], ['y']]),
    /value "x" is read by 2 nodes/,
  ],
  ['no layer at all', emptyModel('none', 17), /its graph has no output/],
])('%s is refused with the node', (_what, model, message) => {
  expect(() => writeTfjs(model, join(folder, 'refused.json'), 'net')).toThrow(message);
  expect(checkModel(model, 'net').length).toBeLessThan(2);
});

async function answers(runtime: string, path: string, input: RuntimeTensor): Promise<RuntimeTensor> {
  const open = await createRuntime(runtime, path, {});
  const [output] = await open.execute([{ ...input, buffer: input.buffer.slice(0) }], input.shape[0]!);
  await open.close();
  return output!;
}

async function pictures(rows: number): Promise<RuntimeTensor> {
  const samples = await fashionSamples();
  return joinSamples(Array.from({ length: rows }, (_, i) => samples.inputs(i)))[0]!;
}

function classes(scores: Float32Array): number[] {
  return Array.from({ length: scores.length / 10 }, (_, row) => {
    const own = scores.subarray(10 * row, 10 * row + 10);
    return own.indexOf(Math.max(...own));
  });
}
