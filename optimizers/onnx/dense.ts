import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../results/cache.js';
import { writeFileAtomic } from '../../results/files.js';
import { FastRandom } from '../../results/stats/index.js';
import type { DenseSizes } from '../../servers/models/index.js';
import { toOnnx } from '../train/to-onnx.js';
import type { OnnxModel } from './model.js';
import { encodeModel } from './write.js';

/** Where a generated dense net lies in the cache folder: every server of a comparison loads the same bytes. */
export function denseModelPath({ layers, width, seed }: DenseSizes): string {
  return join(cacheFolder(), `dense-${layers}x${width}-seed${seed}.onnx`);
}

/** Generates the net at `path` unless it is there. */
export function makeDense(sizes: DenseSizes, path: string): void {
  if (!existsSync(path)) writeFileAtomic(path, encodeModel(denseModel(sizes)), 'the generated model');
}

/**
 * `x` FP32 [N, width] → `y` FP32 [N, width], N symbolic: layers of Gemm and Relu, the last without Relu. Weights are drawn
 * from the seed so that a signal neither grows nor dies (He); biases are 0.
 */
function denseModel({ layers, width, seed }: DenseSizes): OnnxModel {
  const random = new FastRandom(seed);
  const bound = Math.sqrt(6 / width);
  const weights = () => Float32Array.from({ length: width * width }, () => (random.next32() / 2 ** 31 - 1) * bound);
  const each = Array.from({ length: layers }, () => ({
    inputs: width,
    outputs: width,
    weights: weights(),
    bias: new Float32Array(width),
  }));
  const widths = new Array<number>(layers + 1).fill(width);
  return toOnnx(`dense-${layers}x${width}`, each, widths, { seed: String(seed) }, { input: 'x', output: 'y' });
}
