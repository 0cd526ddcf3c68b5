import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { convertTfjs } from '../../../optimizers/convert/index.js';
import { checkModel, writeModel } from '../../../optimizers/onnx/index.js';
import { canonicalDouble, FastRandom } from '../../../results/stats/index.js';
import { createRuntime, type RuntimeTensor } from '../../../servers/runtimes/index.js';
import { workFolder } from '../../e2e/folders.js';
import { graphModel, layersModel } from '../../fixtures/tfjs-models.js';

const folder = workFolder('tfjs');

const MODELS = [
  ['layers', layersModel, [12, 12, 3]],
  ['graph', graphModel, [11, 11, 3]],
] as const;

describe.each(MODELS)('a model of %s', (name, make, image) => {
  const path = make(join(folder, name));

  test.each(['wasm', 'cpu'])(
    'answers in ONNX Runtime as in TensorFlow.js on %s, for any number of rows',
    async (backend) => {
      const onnx = join(folder, `${name}.onnx`);
      const model = convertTfjs(path);
      expect(checkModel(model, path)).toEqual([]);
      writeModel(model, onnx);
      const [ours, theirs] = [await createRuntime('onnx', onnx, {}), await createRuntime('tfjs', path, { backend })];
      expect(ours.metadata.inputs).toEqual(theirs.metadata.inputs);
      expect(ours.metadata.outputs.map((each) => each.name)).toEqual(theirs.metadata.outputs.map((each) => each.name));
      expect(ours.metadata.outputs.every(({ shape }) => shape[0] === -1)).toBe(true);
      for (const rows of [1, 5]) {
        const input = (): RuntimeTensor => ({
          name: 'image',
          datatype: 'FP32',
          shape: [rows, ...image],
          buffer: pixels(rows, image),
        });
        const [a, b] = [await ours.execute([input()], rows), await theirs.execute([input()], rows)];
        for (const [i, tensor] of a.entries()) {
          expect(tensor.shape).toEqual(b[i]!.shape);
          expect(largestDifference(tensor, b[i]!)).toBeLessThan(1e-5);
          // Answers that say nothing would agree, too.
          expect(spread(tensor)).toBeGreaterThan(1e-3);
        }
      }
      await ours.close();
      await theirs.close();
    },
  );

  test('names what it does not know, and what is missing', () => {
    const json = JSON.parse(readFileSync(path, 'utf8')) as { weightsManifest: { paths: string[] }[] };
    const changed = (change: (text: string) => string) => {
      const file = join(folder, name, 'changed.json');
      writeFileSync(file, change(JSON.stringify(json)));
      return file;
    };
    const strange = changed((text) => text.replace('"MaxPool"', '"Erf"').replace('"Flatten"', '"LSTM"'));
    expect(() => convertTfjs(strange)).toThrow(/pooled" \(Erf\).*does not know|flat" \(LSTM\).*does not know/);
    const lost = changed((text) => text.replace('weights.bin', 'lost.bin'));
    expect(() => convertTfjs(lost)).toThrow(/lost\.bin.*Put the weights beside/s);
  });
});

test('8-bit weights are q · scale + min, and a file that is no model says so', async () => {
  const path = join(folder, 'quantised.json');
  writeFileSync(join(folder, 'q.bin'), Uint8Array.of(0, 10, 255, 20));
  const layer = {
    class_name: 'Dense',
    config: { name: 'd', units: 2, use_bias: false, activation: 'linear', batch_input_shape: [null, 2] },
  };
  const weights = [
    { name: 'd/kernel', shape: [2, 2], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } },
  ];
  const modelTopology = { class_name: 'Sequential', config: { name: 's', layers: [layer] } };
  writeFileSync(path, JSON.stringify({ modelTopology, weightsManifest: [{ paths: ['q.bin'], weights }] }));
  const onnx = join(folder, 'quantised.onnx');
  writeModel(convertTfjs(path), onnx);
  const answers = await Promise.all(
    (['onnx', 'tfjs'] as const).map(async (name) => {
      const runtime = await createRuntime(name, name === 'onnx' ? onnx : path, {});
      const input = { name: 'd_input', datatype: 'FP32', shape: [1, 2], buffer: Float32Array.of(1, 2).buffer } as const;
      const [output] = await runtime.execute([input], 1);
      await runtime.close();
      return [...new Float32Array(output!.buffer)];
    }),
  );
  // 1 · (−1) + 2 · 126.5, and 1 · 4 + 2 · 9.
  expect(answers).toEqual([
    [252, 22],
    [252, 22],
  ]);
  writeFileSync(path, '{}');
  expect(() => convertTfjs(path)).toThrow(/no modelTopology/);
  await expect(createRuntime('tfjs', path, {})).rejects.toThrow(/no TensorFlow.js model/);
});

function pixels(rows: number, image: readonly number[]): ArrayBuffer {
  const random = new FastRandom(3n);
  const length = image.reduce((product, dim) => product * dim, rows);
  return Float32Array.from({ length }, () => 2 * canonicalDouble(random) - 1).buffer;
}

function largestDifference(a: RuntimeTensor, b: RuntimeTensor): number {
  const [x, y] = [new Float32Array(a.buffer), new Float32Array(b.buffer)];
  return x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i]!)), 0);
}

function spread(tensor: RuntimeTensor): number {
  const values = new Float32Array(tensor.buffer);
  return Math.max(...values) - Math.min(...values);
}
