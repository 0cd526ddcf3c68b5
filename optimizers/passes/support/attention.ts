import { addConstants } from '../../onnx/build.js';
import { nameSource, producersOf } from '../../onnx/graph.js';
import { elementsOf, initializer, type OnnxModel } from '../../onnx/model.js';
import type { NodeProto } from '../../onnx/proto/onnx_pb.js';
import { integers } from '../../onnx/values.js';
import { type DenseLayer, denseLayers, substitute } from './dense.js';
import { columnsOf, denseNodes, rowsOf } from './slices.js';

/**
 * Multi-head self-attention spelt out: three dense layers, each split into heads by Reshape (to a constant shape) and
 * Transpose; softmax(q·kᵀ)·v; Transpose and Reshape back; a dense layer.
 */
export interface AttentionBlock {
  readonly projections: readonly [q: DenseLayer, k: DenseLayer, v: DenseLayer];
  readonly out: DenseLayer;
  readonly heads: number;
  readonly headSize: number;
  /** Reshapes into heads (three) and back (one, the last). */
  readonly reshapes: readonly NodeProto[];
  /** ‖weights of v‖ · ‖weights out‖ of each head. */
  headScores(): number[];
}

/** Every block that has this form, and why other softmaxes are in none. */
export function attentionBlocks(model: OnnxModel): { readonly blocks: AttentionBlock[]; readonly left: string[] } {
  const producers = producersOf(model);
  const { layers } = denseLayers(model);
  const blocks = layers.flatMap((out) => {
    const block = blockBefore(model, out, producers, layers);
    return block ? [block] : [];
  });
  const softmaxes = model.graph.node.filter(({ opType }) => opType === 'Softmax').length;
  const others = softmaxes - blocks.length;
  return { blocks, left: others > 0 ? [`${others} Softmax stand in no attention of a form that is understood`] : [] };
}

/** Keeps these heads of a block: columns of q, k and v, rows of the output layer, and the shapes between. */
export function keepHeads(model: OnnxModel, block: AttentionBlock, kept: readonly number[]): void {
  const fresh = nameSource(model);
  const places = kept.flatMap((head) => Array.from({ length: block.headSize }, (_, i) => head * block.headSize + i));
  for (const layer of block.projections) {
    const bias = layer.bias();
    const weights = columnsOf(layer.weights(), layer.n, places);
    const nodes = denseNodes(model, layer, weights, bias && columnsOf(bias, layer.n, places), places.length, fresh);
    substitute(model, layer.nodes, nodes);
  }
  const { out } = block;
  substitute(model, out.nodes, denseNodes(model, out, rowsOf(out.weights(), out.n, places), out.bias(), out.n, fresh));
  for (const [i, reshape] of block.reshapes.entries()) {
    const dims = BigInt64Array.from(integers(model.initializers.get(reshape.input[1]!)!));
    // Into heads: […, heads, size]. Back: […, width], unless that is left open (-1).
    const axis = dims.length - (i < 3 ? 2 : 1);
    if (dims[axis]! > 0n) dims[axis] = BigInt(i < 3 ? kept.length : places.length);
    const name = fresh(`${reshape.input[1]}_heads`);
    addConstants(model, initializer(name, [dims.length], dims));
    reshape.input[1] = name;
  }
}

function blockBefore(
  model: OnnxModel,
  out: DenseLayer,
  producers: ReadonlyMap<string, NodeProto>,
  layers: readonly DenseLayer[],
): AttentionBlock | undefined {
  const back = (value: string | undefined) => producers.get(value ?? '');
  const joined = back(out.input);
  const context = joined?.opType === 'Reshape' ? back(joined.input[0]) : undefined;
  const weighted = context?.opType === 'Transpose' ? back(context.input[0]) : undefined;
  if (joined === undefined || weighted?.opType !== 'MatMul') return undefined;
  const softmax = back(weighted.input[0]);
  if (softmax?.opType !== 'Softmax') return undefined;
  const scores = through(model, softmax.input[0]!, producers, (each) => each.opType === 'MatMul');
  if (scores === undefined) return undefined;
  const parts = [scores.input[0], scores.input[1], weighted.input[1]].map((value) =>
    splitHeads(model, value!, producers, layers),
  );
  if (parts.some((part) => part === undefined)) return undefined;
  const [q, k, v] = parts as [SplitLayer, SplitLayer, SplitLayer];
  const { heads, headSize } = q;
  const same = [k, v].every((part) => part.heads === heads && part.headSize === headSize);
  const fixed = model.initializers.has(joined.input[1] ?? '');
  if (!same || !fixed || out.k !== heads * headSize) return undefined;
  return {
    projections: [q.layer, k.layer, v.layer],
    out,
    heads,
    headSize,
    reshapes: [q.reshape, k.reshape, v.reshape, joined],
    headScores: () => headScores(v.layer, out, heads, headSize),
  };
}

interface SplitLayer {
  readonly layer: DenseLayer;
  readonly reshape: NodeProto;
  readonly heads: number;
  readonly headSize: number;
}

/** A dense layer behind Reshape [·, ·, heads, size] and Transposes, perhaps scaled by a number. */
function splitHeads(
  model: OnnxModel,
  value: string,
  producers: ReadonlyMap<string, NodeProto>,
  layers: readonly DenseLayer[],
): SplitLayer | undefined {
  const reshape = through(model, value, producers, (each) => each.opType === 'Reshape', ['Transpose']);
  const shape = reshape && model.initializers.get(reshape.input[1] ?? '');
  const layer = reshape && layers.find(({ output }) => output === reshape.input[0]);
  if (reshape === undefined || shape === undefined || layer === undefined) return undefined;
  const dims = integers(shape).map(Number);
  const [heads, headSize] = dims.slice(-2) as [number, number];
  return dims.length === 4 && heads * headSize === layer.n ? { layer, reshape, heads, headSize } : undefined;
}

/** Backwards from a value through scaling by a number, an added mask and `more` to the node that is wanted. */
function through(
  model: OnnxModel,
  value: string,
  producers: ReadonlyMap<string, NodeProto>,
  wanted: (node: NodeProto) => boolean,
  more: readonly string[] = [],
): NodeProto | undefined {
  const maker = producers.get(value);
  if (maker === undefined || wanted(maker)) return maker;
  const isScale = ['Mul', 'Div'].includes(maker.opType) && maker.input.some((name) => isNumber(model, name));
  if (!isScale && maker.opType !== 'Add' && !more.includes(maker.opType)) return undefined;
  for (const name of maker.input) {
    const found = model.initializers.has(name) ? undefined : through(model, name, producers, wanted, more);
    if (found) return found;
  }
  return undefined;
}

function isNumber(model: OnnxModel, name: string): boolean {
  const constant = model.initializers.get(name);
  return constant !== undefined && elementsOf(constant) === 1;
}

function headScores(v: DenseLayer, out: DenseLayer, heads: number, size: number): number[] {
  const [incoming, outgoing] = [v.weights(), out.weights()];
  return Array.from({ length: heads }, (_, head) => {
    let [before, behind] = [0, 0];
    for (let i = head * size; i < (head + 1) * size; i++) {
      for (let row = 0; row < v.k; row++) before += incoming[row * v.n + i]! ** 2;
      for (let column = 0; column < out.n; column++) behind += outgoing[i * out.n + column]! ** 2;
    }
    return Math.sqrt(before * behind);
  });
}
