import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomic } from '../../results/files.js';
import { FastRandom } from '../../results/stats/index.js';
import { encodeModel, type OnnxModel } from './writer.js';

interface DenseSizes {
  readonly layers: number;
  readonly width: number;
  readonly seed: number;
}

/**
 * The file of a generated dense net, written when it is first asked for into a cache folder (`SERVEMARK_CACHE`, else the
 * user's own): every server of a comparison loads the same bytes.
 */
export function denseModelFile(sizes: DenseSizes): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const folder = process.env.SERVEMARK_CACHE || join(cache, 'servemark');
  const path = join(folder, `dense-${sizes.layers}x${sizes.width}-seed${sizes.seed}.onnx`);
  if (!existsSync(path)) writeFileAtomic(path, encodeModel(denseModel(sizes)), 'the generated model');
  return path;
}

/**
 * `x` FP32 [N, width] → `y` FP32 [N, width], N symbolic: layers of Gemm and Relu, the last without Relu. Weights are drawn
 * from the seed so that a signal neither grows nor dies (He); biases are 0.
 */
function denseModel({ layers, width, seed }: DenseSizes): OnnxModel {
  const random = new FastRandom(seed);
  const bound = Math.sqrt(6 / width);
  const weights = () => Float32Array.from({ length: width * width }, () => (random.next32() / 2 ** 31 - 1) * bound);
  const last = layers - 1;
  const input = (i: number) => (i === 0 ? 'x' : `relu${i - 1}`);
  const output = (i: number) => (i === last ? 'y' : `dense${i}`);
  const each = Array.from({ length: layers }, (_, i) => i);
  return {
    name: `dense-${layers}x${width}`,
    opset: 17,
    producer: 'servemark',
    inputs: [{ name: 'x', shape: ['N', width] }],
    outputs: [{ name: 'y', shape: ['N', width] }],
    nodes: each.flatMap((i) => [
      { operator: 'Gemm', inputs: [input(i), `weights${i}`, `bias${i}`], outputs: [output(i)] },
      ...(i === last ? [] : [{ operator: 'Relu', inputs: [output(i)], outputs: [input(i + 1)] }]),
    ]),
    constants: each.flatMap((i) => [
      { name: `weights${i}`, shape: [width, width], values: weights() },
      { name: `bias${i}`, shape: [width], values: new Float32Array(width) },
    ]),
    metadata: { seed: String(seed) },
  };
}
