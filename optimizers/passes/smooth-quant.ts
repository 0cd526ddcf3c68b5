import { z } from 'zod';
import { addConstants, node } from '../onnx/build.js';
import { consumersOf, nameSource, outputsOf, producersOf } from '../onnx/graph.js';
import { dimsOf, initializer, type OnnxModel } from '../onnx/model.js';
import type { NodeProto } from '../onnx/proto/onnx_pb.js';
import { floats } from '../onnx/values.js';
import { definePass } from './contract.js';
import { observe, samplesFor } from './support/activations.js';
import { type DenseLayer, denseLayers, substitute } from './support/dense.js';
import { finished, nothingToDo, prepare, refuseQuantized } from './support/prepare.js';
import { denseNodes } from './support/slices.js';

const options = z.strictObject({
  /** How much of the difficulty goes from activations to weights: 0 none, 1 all. */
  alpha: z.number().min(0).max(1).default(0.5),
  /** Calibration samples: the library's first. */
  count: z.number().int().positive().default(200),
});

/**
 * Evens out activations by channel before quantisation: x·W = (x/s)·(s·W) with s = max|x|^α / max|W|^(1−α). The division
 * goes into the LayerNormalization before, where there is one, else into a Mul. The model computes what it did before:
 * follow it with quantize-dynamic or quantize-static. Source: Xiao et al., *SmoothQuant*, equations 3 and 4.
 */
export const smoothQuant = definePass({
  name: 'smooth-quant',
  summary: 'moves outliers from activations into weights, channel by channel; a quantising pass comes next',
  options,
  apply: async (original, { alpha, count }, context) => {
    refuseQuantized(original, context);
    const prepared = prepare(original, context);
    const { model } = prepared;
    const { layers, left } = denseLayers(model);
    if (layers.length === 0) throw nothingToDo('smooth-quant', 'matrix product with constant weights', left, context);
    const samples = await samplesFor(context, 'smooth-quant looks at activations');
    const byInput = new Map<string, DenseLayer[]>();
    for (const layer of layers) byInput.set(layer.input, [...(byInput.get(layer.input) ?? []), layer]);
    const largest = new Map([...byInput].map(([input, [first]]) => [input, new Float32Array(first!.k)]));
    const used = await observe(model, [...byInput.keys()], samples, count, (name, values) => {
      const sizes = largest.get(name)!;
      for (let at = 0; at < values.length; at++)
        sizes[at % sizes.length] = Math.max(sizes[at % sizes.length]!, Math.abs(values[at]!));
    });
    let folded = 0;
    for (const [input, readers] of byInput)
      folded += Number(smooth(model, input, readers, factors(largest.get(input)!, readers, alpha)));
    const calibration = { samples: samples.name, sha256: samples.sha256, count: used };
    return finished(prepared, { activations: byInput.size, folded, alpha, calibration }, left);
  },
});

/** s of each channel; 1 where a channel is always 0 in the samples or in the weights. */
function factors(activation: Float32Array, readers: readonly DenseLayer[], alpha: number): Float32Array {
  const weight = new Float32Array(activation.length);
  for (const reader of readers) {
    const values = reader.weights();
    for (let row = 0, at = 0; row < reader.k; row++)
      for (let column = 0; column < reader.n; column++, at++)
        weight[row] = Math.max(weight[row]!, Math.abs(values[at]!));
  }
  return activation.map((size, row) => {
    const factor = size ** alpha / weight[row]! ** (1 - alpha);
    return size > 0 && weight[row]! > 0 && Number.isFinite(factor) ? factor : 1;
  });
}

/** Scales the rows of all readers and divides what they read; true where the division went into what was there. */
function smooth(model: OnnxModel, input: string, readers: readonly DenseLayer[], scale: Float32Array): boolean {
  const fresh = nameSource(model);
  const folded = foldIntoNormalization(model, input, readers, scale, fresh);
  const source = folded ? input : fresh(`${input}_smooth`);
  for (const reader of readers) {
    const weights = reader.weights().map((value, at) => value * scale[Math.floor(at / reader.n)]!);
    substitute(
      model,
      reader.nodes,
      denseNodes(model, reader, weights, reader.bias(), reader.n, fresh, [source, reader.output]),
    );
  }
  if (folded) return true;
  const divisor = fresh(`${input}_scale`);
  addConstants(
    model,
    initializer(
      divisor,
      [scale.length],
      scale.map((value) => 1 / value),
    ),
  );
  const maker = producersOf(model).get(input);
  const at = maker === undefined ? 0 : model.graph.node.indexOf(maker) + 1;
  model.graph.node.splice(at, 0, node('Mul', [input, divisor], [source]));
  return false;
}

function foldIntoNormalization(
  model: OnnxModel,
  input: string,
  readers: readonly DenseLayer[],
  scale: Float32Array,
  fresh: (base: string) => string,
): boolean {
  const maker = producersOf(model).get(input);
  const isSeen = outputsOf(model).has(input) || (consumersOf(model).get(input)?.length ?? 0) > readers.length;
  if (maker?.opType !== 'LayerNormalization' || isSeen) return false;
  const constants = maker.input.slice(1).filter((name) => name !== '');
  if (!constants.every((name) => dimsOfConstant(model, name) === scale.length)) return false;
  for (const i of [1, 2]) divideConstant(model, maker, i, scale, fresh);
  return true;
}

function dimsOfConstant(model: OnnxModel, name: string): number | undefined {
  const constant = model.initializers.get(name);
  return constant && dimsOf(constant).length === 1 ? dimsOf(constant)[0] : undefined;
}

function divideConstant(
  model: OnnxModel,
  of: NodeProto,
  i: number,
  scale: Float32Array,
  fresh: (base: string) => string,
): void {
  const constant = model.initializers.get(of.input[i] ?? '');
  if (constant === undefined) return;
  const name = fresh(`${of.input[i]}_smooth`);
  addConstants(
    model,
    initializer(
      name,
      [scale.length],
      floats(constant).map((value, channel) => value / scale[channel]!),
    ),
  );
  of.input[i] = name;
}
