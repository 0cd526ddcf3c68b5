import { z } from 'zod';
import { fraction } from '../../results/units.js';
import { addConstants, node } from '../onnx/build.js';
import { nameSource } from '../onnx/graph.js';
import { initializer } from '../onnx/model.js';
import { definePass } from './contract.js';
import { denseLayers, substitute } from './support/dense.js';
import { finished, nothingToDo, prepare, refuseQuantized } from './support/prepare.js';
import { denseNodes } from './support/slices.js';
import { truncate } from './support/svd.js';
import { fineTune, mlpOf, training, withWeights } from './support/training.js';

const options = z.strictObject({
  /** Rank as a share of the smaller side; without `energy` only. */
  ratio: fraction().default(0.25),
  /** Instead of `ratio`: the smallest rank that keeps this share of the squared weights. */
  energy: fraction().optional(),
  /** Layers with fewer weights stay as they are. */
  minWeights: z.number().int().nonnegative().default(4096),
  ...training,
});

/** W becomes a product of two thin matrices, where that is fewer weights. Source: Eckart and Young (truncated SVD). */
export const lowRank = definePass({
  name: 'low-rank',
  summary: 'weights as products of two thin matrices (truncated SVD) by rank or energy, optional fine-tuning',
  options,
  apply: async (original, parsed, context) => {
    const { ratio, energy, minWeights } = parsed;
    refuseQuantized(original, context);
    const prepared = prepare(original, context);
    const { model } = prepared;
    const { layers, left } = denseLayers(model);
    const fresh = nameSource(model);
    const done: { layer: string; rank: number; of: number; energy: number }[] = [];
    const notes = [...left];
    for (const layer of layers.filter(({ k, n }) => k * n >= minWeights)) {
      context.signal?.throwIfAborted();
      const { k, n, input } = layer;
      const side = Math.min(k, n);
      const factors = truncate(layer.weights(), k, n, (shares) =>
        energy === undefined ? Math.round(ratio * side) : rankOf(shares, energy),
      );
      const name = layer.weight.header.name;
      if (factors.rank * (k + n) >= k * n) {
        notes.push(`${name} [${k},${n}]: rank ${factors.rank} would be more weights, not fewer`);
        continue;
      }
      const [weight, middle] = [fresh(`${name}_in`), fresh(`${layer.output}_rank`)];
      addConstants(model, initializer(weight, [k, factors.rank], factors.a));
      const first = node('MatMul', [input, weight], [middle]);
      const second = denseNodes(model, layer, factors.b, layer.bias(), n, fresh, [middle, layer.output]);
      substitute(model, layer.nodes, [first, ...second]);
      done.push({ layer: name, rank: factors.rank, of: side, energy: factors.energy });
    }
    if (done.length === 0)
      throw nothingToDo('low-rank', 'dense layer that a product of that rank makes smaller', notes, context);
    if (parsed.epochs === 0) return finished(prepared, { layers: done }, notes);
    const net = mlpOf(model, context, 'low-rank with epochs');
    const tuned = await fineTune(net, original, parsed, context);
    withWeights(model, net, tuned.layers);
    return finished(prepared, { layers: done, training: tuned.facts }, notes);
  },
});

function rankOf(shares: readonly number[], energy: number): number {
  let kept = 0;
  const at = shares.findIndex((share) => {
    kept += share;
    return kept >= energy;
  });
  return at < 0 ? shares.length : at + 1;
}
