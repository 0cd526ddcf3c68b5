import { z } from 'zod';
import { fraction } from '../../results/units.js';
import { addConstants, node } from '../onnx/build.js';
import { nameSource } from '../onnx/graph.js';
import { initializer, type OnnxModel } from '../onnx/model.js';
import { definePass, type PassContext } from './contract.js';
import { joined, observe, samplesFor } from './support/activations.js';
import { type DenseLayer, denseLayers, substitute } from './support/dense.js';
import { finished, nothingToDo, prepare, refuseQuantized } from './support/prepare.js';
import { denseNodes } from './support/slices.js';
import { type Factors, projected, truncate } from './support/svd.js';
import { fineTune, mlpOf, training, withWeights } from './support/training.js';

const options = z.strictObject({
  /** Rank as a share of the smaller side; without `energy` only. */
  ratio: fraction().default(0.25),
  /** Instead of `ratio`: the smallest rank that keeps this share of the squared weights, or of the outputs' variance. */
  energy: fraction().optional(),
  /** What stays: the weights themselves, or what the layer answers on samples (far fewer ranks where inputs are alike). */
  by: z.enum(['weights', 'activation']).default('weights'),
  /** Samples to look at, with `by: activation`. */
  count: z.number().int().positive().default(1000),
  /** Layers with fewer weights stay as they are. */
  minWeights: z.number().int().nonnegative().default(4096),
  /** So do layers with a side narrower than this: a classifier's few outputs are no rank too many. */
  minSide: z.number().int().positive().default(64),
  ...training,
});

/**
 * W becomes a product of two thin matrices, where that is fewer weights. By activation the outputs are projected on their
 * own principal components, and the bias takes their mean. Source: Eckart and Young (truncated SVD); Zhang et al.,
 * *Accelerating very deep convolutional networks* (response reconstruction).
 */
export const lowRank = definePass({
  name: 'low-rank',
  summary:
    'weights as products of two thin matrices by rank or energy, of weights or activations; optional fine-tuning',
  options,
  apply: async (original, parsed, context) => {
    refuseQuantized(original, context);
    const prepared = prepare(original, context);
    const { model } = prepared;
    const { layers, left } = denseLayers(model);
    const notes = [...left];
    const wide = layers.filter(({ k, n }) => Math.min(k, n) >= parsed.minSide && k * n >= parsed.minWeights);
    const answers = parsed.by === 'activation' ? await answersOf(model, wide, parsed.count, context) : undefined;
    const fresh = nameSource(model);
    const done: { layer: string; rank: number; of: number; energy: number }[] = [];
    for (const layer of wide) {
      context.signal?.throwIfAborted();
      const { k, n, input } = layer;
      const name = layer.weight.header.name;
      const factors = factorsOf(layer, answers?.get(layer.output), parsed);
      if (factors.rank * (k + n) >= k * n) {
        notes.push(`${name} [${k},${n}]: rank ${factors.rank} would be more weights, not fewer`);
        continue;
      }
      const [weight, middle] = [fresh(`${name}_in`), fresh(`${layer.output}_rank`)];
      addConstants(model, initializer(weight, [k, factors.rank], factors.a));
      const first = node('MatMul', [input, weight], [middle]);
      const second = denseNodes(model, layer, factors.b, factors.bias, n, fresh, [middle, layer.output]);
      substitute(model, layer.nodes, [first, ...second]);
      done.push({ layer: name, rank: factors.rank, of: Math.min(k, n), energy: factors.energy });
    }
    if (done.length === 0)
      throw nothingToDo('low-rank', 'dense layer that a product of that rank makes smaller', notes, context);
    const facts = { by: parsed.by, layers: done };
    if (parsed.epochs === 0) return finished(prepared, facts, notes);
    const net = mlpOf(model, context, 'low-rank with epochs');
    const tuned = await fineTune(net, original, parsed, context);
    withWeights(model, net, tuned.layers);
    return finished(prepared, { ...facts, training: tuned.facts }, notes);
  },
});

type Options = z.output<typeof options>;

/** What each layer answers on samples, [rows, n], by its output's name. */
async function answersOf(
  model: OnnxModel,
  layers: readonly DenseLayer[],
  count: number,
  context: PassContext,
): Promise<Map<string, Float32Array>> {
  const samples = await samplesFor(context, 'low-rank by activation looks at samples');
  const parts = new Map(layers.map(({ output }): [string, Float32Array[]] => [output, []]));
  await observe(model, [...parts.keys()], samples, count, (name, values) => parts.get(name)!.push(values));
  return new Map([...parts].map(([name, each]) => [name, joined(each)]));
}

function factorsOf(
  layer: DenseLayer,
  answers: Float32Array | undefined,
  { ratio, energy }: Options,
): Factors & { readonly bias: Float32Array | undefined } {
  const { k, n } = layer;
  const rankFor = (shares: readonly number[]) =>
    energy === undefined ? Math.round(ratio * Math.min(k, n)) : rankOf(shares, energy);
  if (answers === undefined) return { ...truncate(layer.weights(), k, n, rankFor), bias: layer.bias() };
  return projected(layer.weights(), layer.bias(), answers, k, n, rankFor);
}

function rankOf(shares: readonly number[], energy: number): number {
  let kept = 0;
  const at = shares.findIndex((share) => {
    kept += share;
    return kept >= energy;
  });
  return at < 0 ? shares.length : at + 1;
}
