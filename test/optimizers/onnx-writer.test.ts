import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { initializer } from '../../optimizers/onnx/model.js';
import { readModel } from '../../optimizers/onnx/read.js';
import { floats } from '../../optimizers/onnx/values.js';
import { encodeModel } from '../../optimizers/onnx/write.js';
import { toOnnx } from '../../optimizers/train/to-onnx.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark onnx '));
afterAll(() => rmSync(folder, { recursive: true }));

/** y = relu(x · [[1, −1], [2, 1]] + [0, −1]) · [[1], [10]] + [5]; the layers are stored padded to 3 and 2 columns. */
const layers = [
  { inputs: 2, outputs: 3, weights: Float32Array.of(1, -1, 0, 2, 1, 0), bias: Float32Array.of(0, -1, 0) },
  { inputs: 2, outputs: 2, weights: Float32Array.of(1, 0, 10, 0), bias: Float32Array.of(5, 0) },
];
const model = toOnnx('tiny', layers, [2, 2, 1], { seed: '7' });

describe('the ONNX writer', () => {
  it('writes a model that ONNX Runtime runs, with the numbers computed by hand and a free batch dimension', async () => {
    const path = join(folder, 'tiny.onnx');
    writeFileSync(path, encodeModel(model));
    // x = (1, 2): hidden (5, 0) since −1 + 2 − 1 = 0, y = 5 + 5 = 10. x = (0, 3): hidden (6, 2), y = 6 + 20 + 5 = 31.
    // x = (−4, 0): hidden (0, 3), y = 30 + 5 = 35.
    expect(await runInWorker(path, [1, 2, 0, 3, -4, 0], [3, 2])).toEqual({
      inputs: ['x'],
      outputs: ['logits'],
      shape: [3, 1],
      values: [10, 31, 35],
    });
  });

  it('writes equal models as equal bytes', () => {
    expect(encodeModel(model).equals(encodeModel(toOnnx('tiny', layers, [2, 2, 1], { seed: '7' })))).toBe(true);
  });

  it('refuses a constant that does not fill its shape', () => {
    expect(() => initializer('w', [2, 2], Float32Array.of(1))).toThrow('constant w: 1 values for [2,2]');
  });
});

describe('the embedded model', () => {
  const home = fileURLToPath(new URL('../../servers/models/fashion-mlp/', import.meta.url));
  const provenance = JSON.parse(readFileSync(join(home, 'provenance.json'), 'utf8')) as {
    sha256: string;
    bytes: number;
    script: string;
    accuracy: { correct: number; total: number };
  };
  const file = readFileSync(join(home, 'fashion-mlp.onnx'));

  it('is the file that its provenance describes', () => {
    expect(createHash('sha256').update(file).digest('hex')).toBe(provenance.sha256);
    expect(file.length).toBe(provenance.bytes);
    expect(file.length).toBeLessThanOrEqual(8e6);
    expect(readFileSync(fileURLToPath(new URL(`../../${provenance.script}`, import.meta.url)), 'utf8')).toContain(
      'train',
    );
  });

  it('is what the writer makes of its weights, to the byte', () => {
    const path = join(home, 'fashion-mlp.onnx');
    const { initializers, head } = readModel(path);
    const values = (name: string) => floats(initializers.get(name)!);
    const widths = [784, 1024, 1024, 10];
    const layers = widths.slice(1).map((outputs, i) => ({
      inputs: widths[i]!,
      outputs,
      weights: values(`weights${i}`),
      bias: values(`bias${i}`),
    }));
    const metadata = Object.fromEntries(head.metadataProps.map(({ key, value }) => [key, value]));
    expect(encodeModel(toOnnx('fashion-mlp', layers, widths, metadata)).equals(file)).toBe(true);
  });

  it('was right on at least 88 % of the 10,000 test images', () => {
    expect(provenance.accuracy.total).toBe(10_000);
    expect(provenance.accuracy.correct).toBeGreaterThanOrEqual(8800);
  });
});

interface Answer {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** A session blocks its thread, so it gets one of its own. */
function runInWorker(path: string, x: readonly number[], shape: readonly number[]): Promise<Answer> {
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    const ort = require('onnxruntime-node');
    (async () => {
      const session = await ort.InferenceSession.create(workerData.path, { intraOpNumThreads: 1 });
      const feeds = { x: new ort.Tensor('float32', Float32Array.from(workerData.x), workerData.shape) };
      const { logits } = await session.run(feeds);
      const { inputNames: inputs, outputNames: outputs } = session;
      parentPort.postMessage({ inputs, outputs, shape: [...logits.dims], values: [...logits.data] });
    })();`;
  return new Promise((resolve, reject) => {
    const worker = new Worker(script, { eval: true, workerData: { path, x, shape } });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
