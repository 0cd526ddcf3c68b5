import { z } from 'zod';
import type { SplitStep } from '../../servers/runtimes/index.js';
import { nameSource, topological, usedBy } from '../onnx/graph.js';
import { flopsPerRow } from '../onnx/inspect.js';
import { cloneModel, type OnnxModel } from '../onnx/model.js';
import { type Probe, probeModel } from '../onnx/probe.js';
import type { NodeProto } from '../onnx/proto/onnx_pb.js';
import { definePass } from './contract.js';
import { type AttentionBlock, attentionBlocks, keepHeads } from './support/attention.js';
import { type DenseLayer, denseLayers, substitute } from './support/dense.js';
import { describer, extract, nodesBetween } from './support/extract.js';
import { nothingToDo, prepare } from './support/prepare.js';
import { hiddenRegions } from './support/regions.js';
import { columnsOf, denseNodes, rowsOf } from './support/slices.js';

const options = z.strictObject({
  /** Shards of each sliced layer. */
  shards: z.number().int().min(2).max(64).default(2),
  /** Layers with fewer weights stay whole. */
  minWeights: z.number().int().nonnegative().default(16_384),
});

type Options = z.output<typeof options>;

/**
 * Slices pairs of dense layers by hidden units (columns of the first, rows of the second) and attention by heads: shards
 * run side by side on the same inputs and their partial sums are added, once a pair. A large layer without a partner is
 * sliced by columns, and its parts joined. What is left runs whole. Source: Shoeybi et al., *Megatron-LM*, section 3.
 */
export const splitTensor = definePass({
  name: 'split-tensor',
  summary: 'column and row slices of dense pairs and attention heads, for tensor parallelism; sums named in a plan',
  options,
  splits: 'tensor',
  apply: async (original, parsed, context) => {
    const { model, notes } = prepare(original, context);
    model.graph.node = topological(model.graph.node).sorted;
    const { left } = denseLayers(model);
    const groups = groupsOf(model, parsed);
    if (groups.length === 0)
      throw nothingToDo(
        'split-tensor',
        `dense layer of ${parsed.minWeights} weights or more, ${parsed.shards} units wide`,
        left,
        context,
      );
    const probe = await probeModel(model);
    const { models, steps } = assemble(model, groups, parsed.shards, probe);
    const sharded = steps.filter((step) => step.kind === 'sharded');
    return {
      models,
      plan: {
        schema: 1,
        kind: 'tensor',
        inputs: model.graph.input.map(({ name }) => name),
        outputs: model.graph.output.map(({ name }) => name),
        steps,
      },
      facts: {
        shards: parsed.shards,
        pairs: groups.filter(({ kind }) => kind === 'pair').length,
        attention: groups.filter(({ kind }) => kind === 'attention').length,
        columns: groups.filter(({ kind }) => kind === 'columns').length,
        sums: sharded.filter(({ reduce }) => reduce === 'sum').length,
        // What shards hand back for a row: each its partial sum, or its columns.
        bytesPerRow: sharded.reduce(
          (sum, { bytesPerRow, reduce }) => sum + bytesPerRow * (reduce === 'sum' ? parsed.shards : 1),
          0,
        ),
        shardedShare: Number(sharded.reduce((sum, { cost }) => sum + cost, 0).toFixed(4)),
      },
      notes: [...notes, ...left],
    };
  },
});

/** Nodes that are sliced together, and how shard `s` of the model is made: its output stands for a partial sum or columns. */
interface Group {
  readonly kind: 'pair' | 'attention' | 'columns';
  readonly nodes: ReadonlySet<NodeProto>;
  readonly output: string;
  /** Changes a copy of the model so that its part between inputs and output is shard `shard` of `of`. */
  slice(copy: OnnxModel, shard: number, of: number): void;
}

function groupsOf(model: OnnxModel, { shards, minWeights }: Options): Group[] {
  const { layers } = denseLayers(model);
  const taken = new Set<DenseLayer['node']>();
  const groups: Group[] = [];
  for (const block of attentionBlocks(model).blocks) {
    if (block.heads < shards) continue;
    const inputs = new Set(block.projections.map(({ input }) => input));
    groups.push({
      kind: 'attention',
      nodes: attentionNodes(model, block, inputs),
      output: block.out.output,
      slice: (copy, shard, of) => sliceAttention(copy, block, shard, of),
    });
    for (const { node } of [...block.projections, block.out]) taken.add(node);
  }
  for (const { first, seconds, between } of hiddenRegions(model, layers)) {
    const [second] = seconds;
    const large = first.k * first.n >= minWeights && first.n >= shards;
    if (seconds.length !== 1 || !large || taken.has(first.node) || taken.has(second!.node)) continue;
    for (const { node } of [first, second!]) taken.add(node);
    groups.push({
      kind: 'pair',
      nodes: new Set([...first.nodes, ...between, ...second!.nodes]),
      output: second!.output,
      slice: (copy, shard, of) => slicePair(copy, first.output, second!.output, shard, of),
    });
  }
  for (const layer of layers) {
    if (taken.has(layer.node) || layer.k * layer.n < minWeights || layer.n < shards) continue;
    groups.push({
      kind: 'columns',
      nodes: new Set(layer.nodes),
      output: layer.output,
      slice: (copy, shard, of) => sliceColumns(copy, layer.output, shard, of),
    });
  }
  return groups;
}

/** What stands between a block's inputs and its output, but for what comes from elsewhere (masks). */
function attentionNodes(model: OnnxModel, block: AttentionBlock, inputs: ReadonlySet<string>): Set<NodeProto> {
  const all = nodesBetween(model, inputs, [block.out.output]);
  const inside = new Set(block.projections.map(({ output }) => output));
  const own = new Set<NodeProto>([...block.projections.flatMap(({ nodes }) => nodes), ...block.out.nodes]);
  for (const node of model.graph.node) {
    if (!all.has(node) || own.has(node) || !usedBy(node).some((name) => inside.has(name))) continue;
    own.add(node);
    for (const name of node.output) inside.add(name);
  }
  return own;
}

function sliceAttention(copy: OnnxModel, block: AttentionBlock, shard: number, of: number): void {
  const own = attentionBlocks(copy).blocks.find(({ out }) => out.output === block.out.output)!;
  const [from, to] = share(block.heads, shard, of);
  keepHeads(copy, own, range(from, to));
  if (shard > 0) dropBias(copy, block.out.output);
}

function slicePair(copy: OnnxModel, hidden: string, output: string, shard: number, of: number): void {
  const fresh = nameSource(copy);
  const { layers } = denseLayers(copy);
  const [first, second] = [layerOf(layers, hidden), layerOf(layers, output)];
  const kept = range(...share(first.n, shard, of));
  const bias = first.bias();
  const weights = columnsOf(first.weights(), first.n, kept);
  substitute(
    copy,
    first.nodes,
    denseNodes(copy, first, weights, bias && columnsOf(bias, first.n, kept), kept.length, fresh),
  );
  const rows = rowsOf(second.weights(), second.n, kept);
  // The sum must hold the bias once.
  substitute(
    copy,
    second.nodes,
    denseNodes(copy, second, rows, shard === 0 ? second.bias() : undefined, second.n, fresh),
  );
}

function sliceColumns(copy: OnnxModel, output: string, shard: number, of: number): void {
  const layer = layerOf(denseLayers(copy).layers, output);
  const kept = range(...share(layer.n, shard, of));
  const bias = layer.bias();
  const weights = columnsOf(layer.weights(), layer.n, kept);
  const nodes = denseNodes(copy, layer, weights, bias && columnsOf(bias, layer.n, kept), kept.length, nameSource(copy));
  substitute(copy, layer.nodes, nodes);
}

function dropBias(copy: OnnxModel, output: string): void {
  const layer = layerOf(denseLayers(copy).layers, output);
  substitute(copy, layer.nodes, denseNodes(copy, layer, layer.weights(), undefined, layer.n, nameSource(copy)));
}

/** Models and steps: groups as shards, and whatever lies between them in runs of whole nodes. */
function assemble(
  model: OnnxModel,
  groups: readonly Group[],
  shards: number,
  probe: Probe,
): { models: { suffix: string; model: OnnxModel }[]; steps: SplitStep[] } {
  const describe = describer(model, probe);
  const cost = costs(model, probe);
  const models: { suffix: string; model: OnnxModel }[] = [];
  const steps: SplitStep[] = [];
  const byLast = new Map(
    groups.map((group) => [model.graph.node.findLastIndex((node) => group.nodes.has(node)), group]),
  );
  const grouped = new Set(groups.flatMap(({ nodes }) => [...nodes]));
  let run = new Set<NodeProto>();
  const closeRun = () => {
    if (run.size === 0) return;
    const suffix = `whole${models.length}`;
    const part = extract(model, run, describe);
    models.push({ suffix, model: part.model });
    steps.push({ kind: 'whole', model: suffix, inputs: part.inputs, outputs: part.outputs, cost: cost(run) });
    run = new Set();
  };
  for (const [position, node] of model.graph.node.entries()) {
    const group = byLast.get(position);
    if (group) {
      closeRun();
      const step = shardGroup(model, group, shards, describe, probe, models);
      steps.push({ ...step, cost: cost(group.nodes) });
    } else if (!grouped.has(node)) run.add(node);
  }
  closeRun();
  return { models, steps };
}

function shardGroup(
  model: OnnxModel,
  group: Group,
  shards: number,
  describe: ReturnType<typeof describer>,
  probe: Probe,
  models: { suffix: string; model: OnnxModel }[],
): Extract<SplitStep, { kind: 'sharded' }> {
  const whole = extract(model, group.nodes, describe);
  const names = Array.from({ length: shards }, (_, shard) => {
    const copy = cloneModel(model);
    group.slice(copy, shard, shards);
    const nodes = nodesBetween(copy, new Set(whole.inputs), [group.output]);
    const part = extract(copy, nodes, describe, new Set([group.output]));
    if (group.kind === 'columns') openLast(part.model);
    const suffix = `part${models.length}`;
    models.push({ suffix, model: part.model });
    return suffix;
  });
  return {
    kind: 'sharded',
    models: names,
    inputs: whole.inputs,
    outputs: [group.output],
    reduce: group.kind === 'columns' ? 'concat' : 'sum',
    axis: -1,
    bytesPerRow: 4 * (probe.values.get(group.output)?.perRow ?? 0),
    cost: 0,
  };
}

/** A column slice is narrower than the whole's output. */
function openLast(part: OnnxModel): void {
  for (const { name, type } of part.graph.output) {
    const dims = type?.value.case === 'tensorType' ? type.value.value.shape?.dim : undefined;
    if (dims?.length) dims.at(-1)!.value = { case: 'dimParam', value: `${name}_columns` };
  }
}

function costs(model: OnnxModel, probe: Probe): (nodes: ReadonlySet<NodeProto>) => number {
  const each = new Map(model.graph.node.map((node) => [node, flopsPerRow(model, node, probe)]));
  const total = [...each.values()].reduce((a, b) => a + b, 0) || 1;
  return (nodes) => [...nodes].reduce((sum, node) => sum + (each.get(node) ?? 0), 0) / total;
}

function layerOf(layers: readonly DenseLayer[], output: string): DenseLayer {
  const found = layers.find((layer) => layer.output === output);
  if (found) return found;
  throw new Error(`split-tensor: the layer of ${output} is gone`);
}

/** The part of `count` that shard `shard` of `of` has: as even as can be, in order. */
function share(count: number, shard: number, of: number): [number, number] {
  return [Math.floor((count * shard) / of), Math.floor((count * (shard + 1)) / of)];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
