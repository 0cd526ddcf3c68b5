import { z } from 'zod';
import { fraction } from '../../results/units.js';
import { nameSource } from '../onnx/graph.js';
import type { OnnxModel } from '../onnx/model.js';
import { definePass, type PassContext } from './contract.js';
import { observe, samplesFor } from './support/activations.js';
import { attentionBlocks, keepHeads } from './support/attention.js';
import { denseLayers, substitute } from './support/dense.js';
import { finished, nothingToDo, prepare, refuseQuantized } from './support/prepare.js';
import { type HiddenRegion, hiddenRegions } from './support/regions.js';
import { columnsOf, denseNodes, rowsOf } from './support/slices.js';
import { fineTune, mlpOf, training, withWeights } from './support/training.js';

const options = z.strictObject({
  /** Share of the hidden units (or heads) that goes. */
  share: fraction().default(0.5),
  /** Hidden units between dense layers (a transformer's FFN width among them), or attention heads. */
  what: z.enum(['units', 'heads']).default('units'),
  /** A unit counts by the size of its weights in and out, or by that of its activation on samples and its weights out. */
  by: z.enum(['norm', 'activation']).default('norm'),
  /** Kept widths are multiples of this, as kernels like them. */
  multiple: z.number().int().positive().default(8),
  /** Samples to look at, with `by: activation`. */
  count: z.number().int().positive().default(200),
  ...training,
});

type Options = z.output<typeof options>;

/** Whole hidden units or heads go, with their rows and columns: a smaller dense net, faster on any engine. Source: Li et al., *Pruning filters*; Michel et al., *Are sixteen heads*. */
export const pruneStructured = definePass({
  name: 'prune-structured',
  summary: 'whole hidden units, FFN width or attention heads go, by norm or activation; optional fine-tuning',
  options,
  apply: async (original, parsed, context) => {
    refuseQuantized(original, context);
    const prepared = prepare(original, context);
    const { model } = prepared;
    const changed =
      parsed.what === 'heads' ? pruneHeads(model, parsed, context) : await pruneUnits(model, parsed, context);
    if (parsed.epochs === 0) return finished(prepared, { share: parsed.share, by: parsed.by, ...changed });
    const net = mlpOf(model, context, 'prune-structured with epochs');
    const tuned = await fineTune(net, original, parsed, context);
    withWeights(model, net, tuned.layers);
    return finished(prepared, { share: parsed.share, by: parsed.by, ...changed, training: tuned.facts });
  },
});

async function pruneUnits(model: OnnxModel, parsed: Options, context: PassContext): Promise<Record<string, unknown>> {
  const { layers, left } = denseLayers(model);
  const uses = new Map<string, number>();
  for (const { weight } of layers) uses.set(weight.header.name, (uses.get(weight.header.name) ?? 0) + 1);
  const shared = ({ first, seconds }: HiddenRegion) =>
    [first, ...seconds].some(({ weight }) => uses.get(weight.header.name)! > 1);
  const regions = hiddenRegions(model, layers).filter((region) => !shared(region));
  if (regions.length === 0)
    throw nothingToDo(
      'prune-structured',
      'pair of dense layers with nothing but elementwise operators between',
      left,
      context,
    );
  const activations =
    parsed.by === 'activation' ? await meanActivations(model, regions, parsed.count, context) : undefined;
  const widths = regions.map((region) => {
    const scores = unitScores(region, activations?.get(region.hidden));
    return { region, kept: largest(scores, keptCount(region.first.n, parsed)) };
  });
  shrink(model, widths);
  return { regions: widths.map(({ region, kept }) => ({ from: region.first.n, to: kept.length })) };
}

function keptCount(units: number, { share, multiple }: Pick<Options, 'share' | 'multiple'>): number {
  const wanted = Math.max(1, Math.round(units * (1 - share)));
  return units <= multiple ? wanted : Math.min(units, Math.max(multiple, Math.round(wanted / multiple) * multiple));
}

/** ‖weights in‖ · ‖weights out‖, or mean |activation| · ‖weights out‖, of each hidden unit. */
function unitScores({ first, seconds }: HiddenRegion, activation: Float64Array | undefined): Float64Array {
  const scores = new Float64Array(first.n);
  const incoming = first.weights();
  for (let row = 0, at = 0; row < first.k; row++)
    for (let unit = 0; unit < first.n; unit++, at++) scores[unit]! += incoming[at]! ** 2;
  const outgoing = new Float64Array(first.n);
  for (const second of seconds) {
    const weights = second.weights();
    for (let unit = 0, at = 0; unit < second.k; unit++)
      for (let column = 0; column < second.n; column++, at++) outgoing[unit]! += weights[at]! ** 2;
  }
  return scores.map((score, unit) => (activation ? activation[unit]! : Math.sqrt(score)) * Math.sqrt(outgoing[unit]!));
}

/** The places of the largest scores, in ascending order. */
function largest(scores: ArrayLike<number>, count: number): number[] {
  const places = Array.from({ length: scores.length }, (_, i) => i);
  return places
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, count)
    .sort((a, b) => a - b);
}

async function meanActivations(
  model: OnnxModel,
  regions: readonly HiddenRegion[],
  count: number,
  context: PassContext,
): Promise<Map<string, Float64Array>> {
  const samples = await samplesFor(context, 'prune-structured by activation looks at samples');
  const sums = new Map(regions.map(({ hidden, first }) => [hidden, new Float64Array(first.n)]));
  await observe(model, [...sums.keys()], samples, count, (name, values) => {
    const sum = sums.get(name)!;
    for (let at = 0; at < values.length; at++) sum[at % sum.length]! += Math.abs(values[at]!);
  });
  return sums;
}

/** A layer may lose outputs to one region and inputs to another: both at once, on fresh weights. */
function shrink(model: OnnxModel, widths: readonly { region: HiddenRegion; kept: readonly number[] }[]): void {
  const fresh = nameSource(model);
  const outputs = new Map(widths.map(({ region, kept }) => [region.first.node, kept]));
  const inputs = new Map(widths.flatMap(({ region, kept }) => region.seconds.map((second) => [second.node, kept])));
  const touched = new Map(
    widths.flatMap(({ region }) => [region.first, ...region.seconds].map((each) => [each.node, each])),
  );
  for (const layer of touched.values()) {
    let [weights, bias, n] = [layer.weights(), layer.bias(), layer.n];
    const rows = inputs.get(layer.node);
    const columns = outputs.get(layer.node);
    if (rows) weights = rowsOf(weights, n, rows);
    if (columns) {
      weights = columnsOf(weights, n, columns);
      bias = bias && columnsOf(bias, n, columns);
      n = columns.length;
    }
    substitute(model, layer.nodes, denseNodes(model, layer, weights, bias, n, fresh));
  }
}

function pruneHeads(model: OnnxModel, { share }: Options, context: PassContext): Record<string, unknown> {
  const { blocks, left } = attentionBlocks(model);
  if (blocks.length === 0)
    throw nothingToDo('prune-structured what=heads', 'self-attention that it understands', left, context);
  const heads = blocks.map((block) => {
    const kept = largest(block.headScores(), Math.max(1, Math.round(block.heads * (1 - share))));
    keepHeads(model, block, kept);
    return { from: block.heads, to: kept.length };
  });
  return { heads };
}
