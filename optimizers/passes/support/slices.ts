import { addConstants, node } from '../../onnx/build.js';
import { initializer, type OnnxModel } from '../../onnx/model.js';
import type { NodeProto } from '../../onnx/proto/onnx_pb.js';
import type { DenseLayer } from './dense.js';

/** Columns `kept` of W [k, n], in that order. */
export function columnsOf(weights: Float32Array, n: number, kept: readonly number[]): Float32Array {
  const rows = weights.length / n;
  const sliced = new Float32Array(rows * kept.length);
  for (let row = 0, at = 0; row < rows; row++) for (const column of kept) sliced[at++] = weights[row * n + column]!;
  return sliced;
}

/** Rows `kept` of W [k, n], in that order. */
export function rowsOf(weights: Float32Array, n: number, kept: readonly number[]): Float32Array {
  const sliced = new Float32Array(kept.length * n);
  for (const [i, row] of kept.entries()) sliced.set(weights.subarray(row * n, (row + 1) * n), i * n);
  return sliced;
}

/**
 * Nodes of a dense layer with other weights W [k, n] and bias, from `input` to `output`, as the layer was written: Gemm,
 * or MatMul and Add (which takes inputs of any rank). Adds the constants.
 */
export function denseNodes(
  model: OnnxModel,
  layer: DenseLayer,
  weights: Float32Array,
  bias: Float32Array | undefined,
  n: number,
  fresh: (base: string) => string,
  [input, output]: readonly [string, string] = [layer.input, layer.output],
): NodeProto[] {
  const base = layer.weight.header.name;
  const name = fresh(`${base}_part`);
  addConstants(model, initializer(name, [weights.length / n, n], weights));
  if (bias === undefined && layer.node.opType === 'MatMul') return [node('MatMul', [input, name], [output])];
  const added = bias && fresh(`${base}_bias`);
  if (added) addConstants(model, initializer(added, [n], bias));
  if (layer.node.opType === 'Gemm') return [node('Gemm', [input, name, ...(added ? [added] : [])], [output])];
  const product = fresh(`${output}_product`);
  return [node('MatMul', [input, name], [product]), node('Add', [product, added!], [output])];
}
