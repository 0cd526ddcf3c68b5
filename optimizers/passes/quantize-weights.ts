import { z } from 'zod';
import { addConstants, importDomain, MICROSOFT, node } from '../onnx/build.js';
import { nameSource } from '../onnx/graph.js';
import { initializer, type OnnxModel } from '../onnx/model.js';
import type { NodeProto } from '../onnx/proto/onnx_pb.js';
import { definePass } from './contract.js';
import { type DenseLayer, denseLayers, substitute } from './support/dense.js';
import { finished, nothingToDo, prepare, refuseQuantized } from './support/prepare.js';
import { clamp, roundHalfEven } from './support/quantize.js';

const options = z.strictObject({
  bits: z.union([z.literal(4), z.literal(8)]).default(4),
  /** Weights of a column that share a scale: a power of two from 16. */
  block: z
    .number()
    .int()
    .min(16)
    .max(256)
    .refine((size) => (size & (size - 1)) === 0, 'must be a power of two')
    .default(32),
  /** Scale only; `false` adds a zero point of `bits` bits a block. */
  symmetric: z.boolean().default(true),
  /** What the kernel may compute in: 0 as it likes, 1 FP32, 4 int8 (fastest, quantises activations too). */
  accuracyLevel: z.union([z.literal(0), z.literal(1), z.literal(4)]).default(4),
  /** Layers with fewer weights stay as they are. */
  minWeights: z.number().int().nonnegative().default(1024),
});

type Options = z.output<typeof options>;

/**
 * Weights in blocks of few bits, activations in full precision between layers. Zero points, where there are, are packed
 * integers: ones of type float take ONNX Runtime's slow path. Source: com.microsoft MatMulNBits.
 */
export const quantizeWeights = definePass({
  name: 'quantize-weights',
  summary: '4-bit or 8-bit weights in blocks (MatMulNBits): an eighth or a quarter of the bytes',
  options,
  apply: async (original, parsed, context) => {
    refuseQuantized(original, context);
    const prepared = prepare(original, context);
    const { model } = prepared;
    const { layers: all, left } = denseLayers(model);
    const layers = all.filter(({ k, n }) => k * n >= parsed.minWeights);
    if (layers.length === 0)
      throw nothingToDo('quantize-weights', 'matrix product with constant weights', left, context);
    importDomain(model, MICROSOFT, 1);
    const fresh = nameSource(model);
    for (const layer of layers) substitute(model, layer.nodes, rewrite(model, layer, parsed, fresh));
    const small = all.length - layers.length;
    const notes = small > 0 ? [...left, `${small} layers have fewer than ${parsed.minWeights} weights`] : left;
    return finished(prepared, { layers: layers.length, bits: parsed.bits, block: parsed.block }, notes);
  },
});

function rewrite(
  model: OnnxModel,
  layer: DenseLayer,
  { bits, block, symmetric, accuracyLevel }: Options,
  fresh: (base: string) => string,
): NodeProto[] {
  const { k, n, input, output, weight } = layer;
  const packed = packBlocks(layer.weights(), k, n, bits, block, symmetric);
  const name = (what: string) => fresh(`${weight.header.name}_${what}`);
  const [values, scales] = [name(`q${bits}`), name('scales')];
  const blocks = Math.ceil(k / block);
  addConstants(
    model,
    initializer(values, [n, blocks, (block * bits) / 8], packed.values),
    initializer(scales, [n * blocks], packed.scales),
  );
  const operands = [input, values, scales];
  if (packed.zeroPoints) {
    const zero = name('zero_points');
    addConstants(model, initializer(zero, [packed.zeroPoints.length], packed.zeroPoints));
    operands.push(zero);
  }
  const attributes = {
    K: BigInt(k),
    N: BigInt(n),
    bits: BigInt(bits),
    block_size: BigInt(block),
    accuracy_level: BigInt(accuracyLevel),
  };
  const bias = layer.bias();
  const product = bias ? fresh(`${output}_product`) : output;
  const nodes = [node('MatMulNBits', operands, [product], attributes, MICROSOFT)];
  if (bias === undefined) return nodes;
  const added = fresh(`${output}_bias`);
  addConstants(model, initializer(added, [n], bias));
  return [...nodes, node('Add', [product, added], [output])];
}

/**
 * W [k, n] as blocks along k of each column: values [n][blocks][block·bits/8], low nibble first; scales [n][blocks]; zero
 * points [n][blocks] packed to whole bytes a column. Without zero points zero is 2^(bits−1). The last block is padded.
 */
export function packBlocks(
  weights: Float32Array,
  k: number,
  n: number,
  bits: 4 | 8,
  block: number,
  symmetric: boolean,
): { values: Uint8Array; scales: Float32Array; zeroPoints: Uint8Array | undefined } {
  const blocks = Math.ceil(k / block);
  const blockBytes = (block * bits) / 8;
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  const values = new Uint8Array(n * blocks * blockBytes);
  const scales = new Float32Array(n * blocks);
  const zeroPoints = symmetric ? undefined : new Uint8Array(n * zeroBytes);
  const top = 2 ** bits - 1;
  for (let column = 0; column < n; column++) {
    for (let b = 0; b < blocks; b++) {
      const rows = Math.min(block, k - b * block);
      const { scale, zero } = blockScale(weights, b * block * n + column, n, rows, bits, symmetric);
      scales[column * blocks + b] = scale;
      if (zeroPoints) put(zeroPoints, column * zeroBytes, b, zero, bits);
      const start = (column * blocks + b) * blockBytes;
      for (let i = 0; i < block; i++) {
        const value = i < rows ? weights[(b * block + i) * n + column]! : 0;
        put(values, start, i, clamp(roundHalfEven(value / scale) + zero, 0, top), bits);
      }
    }
  }
  return { values, scales, zeroPoints };
}

function blockScale(
  weights: Float32Array,
  from: number,
  stride: number,
  rows: number,
  bits: number,
  symmetric: boolean,
): { scale: number; zero: number } {
  let [low, high, extreme] = [0, 0, 0];
  for (let i = 0, at = from; i < rows; i++, at += stride) {
    const value = weights[at]!;
    low = Math.min(low, value);
    high = Math.max(high, value);
    if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  }
  const half = 2 ** (bits - 1);
  // The value farthest from 0 gets −half, the one integer that has no counterpart: all codes are used.
  if (symmetric) return { scale: Math.fround(extreme === 0 ? 1 : extreme / -half), zero: half };
  const scale = Math.fround(high === low ? 1 : (high - low) / (2 ** bits - 1));
  return { scale, zero: clamp(roundHalfEven(-low / scale), 0, 2 ** bits - 1) };
}

function put(bytes: Uint8Array, start: number, index: number, value: number, bits: 4 | 8): void {
  if (bits === 8) bytes[start + index] = value;
  else bytes[start + (index >> 1)]! |= value << (4 * (index & 1));
}
