import { floatAttribute, intAttribute } from '../../onnx/build.js';
import { typeName } from '../../onnx/dtypes.js';
import { consumersOf, outputsOf } from '../../onnx/graph.js';
import { dimsOf, elementsOf, type Initializer, normal, type OnnxModel } from '../../onnx/model.js';
import { type NodeProto, TensorProto_DataType } from '../../onnx/proto/onnx_pb.js';
import { floats } from '../../onnx/values.js';

/** A fully connected layer: y = x·W (+ b) with a constant FP32 matrix W, as a Gemm, or a MatMul and perhaps an Add. */
export interface DenseLayer {
  /** The Gemm or MatMul. */
  readonly node: NodeProto;
  /** The Add behind a MatMul that is its bias. */
  readonly add: NodeProto | undefined;
  /** All nodes that this layer is. */
  readonly nodes: readonly NodeProto[];
  readonly input: string;
  readonly output: string;
  readonly weight: Initializer;
  /** W is [k, n]. */
  readonly k: number;
  readonly n: number;
  readonly hasBias: boolean;
  /** W row by row, [k, n], with Gemm's transB and alpha worked in: a new array. */
  weights(): Float32Array;
  /** b, [n], with Gemm's beta worked in; undefined where there is none. A new array. */
  bias(): Float32Array | undefined;
}

/** All dense layers in graph order, and of the other matrix products why they are none. */
export function denseLayers(model: OnnxModel): { readonly layers: DenseLayer[]; readonly left: string[] } {
  const consumers = consumersOf(model);
  const outputs = outputsOf(model);
  const layers: DenseLayer[] = [];
  const left: string[] = [];
  for (const node of model.graph.node) {
    if (normal(node.domain) !== '' || (node.opType !== 'Gemm' && node.opType !== 'MatMul')) continue;
    const problem = whyNot(model, node);
    if (problem === undefined) layers.push(describe(model, node, consumers, outputs));
    else left.push(`${node.opType} "${node.name || node.output[0]}": ${problem}`);
  }
  return { layers, left };
}

function whyNot(model: OnnxModel, node: NodeProto): string | undefined {
  const weight = model.initializers.get(node.input[1] ?? '');
  if (weight === undefined) return 'its second operand is computed, not constant';
  if (weight.header.dataType !== TensorProto_DataType.FLOAT)
    return `its weights are ${typeName(weight.header.dataType)}, not FLOAT`;
  if (weight.header.dims.length !== 2) return `its weights have ${weight.header.dims.length} dimensions`;
  if (node.opType === 'MatMul') return undefined;
  if (intAttribute(node, 'transA', 0) !== 0) return 'it transposes its input (transA)';
  const c = node.input[2];
  if (c === undefined || c === '') return undefined;
  const bias = model.initializers.get(c);
  if (bias === undefined) return 'its bias is computed, not constant';
  const n = dimsOf(weight)[intAttribute(node, 'transB', 0) ? 0 : 1]!;
  const elements = elementsOf(bias);
  return elements === 1 || (elements === n && dimsOf(bias).at(-1) === n)
    ? undefined
    : 'its bias is no row of its width';
}

function describe(
  model: OnnxModel,
  node: NodeProto,
  consumers: ReadonlyMap<string, readonly NodeProto[]>,
  outputs: ReadonlySet<string>,
): DenseLayer {
  const weight = model.initializers.get(node.input[1]!)!;
  const transposed = node.opType === 'Gemm' && intAttribute(node, 'transB', 0) !== 0;
  const alpha = node.opType === 'Gemm' ? floatAttribute(node, 'alpha', 1) : 1;
  const beta = node.opType === 'Gemm' ? floatAttribute(node, 'beta', 1) : 1;
  const [rows, columns] = dimsOf(weight) as [number, number];
  const [k, n] = transposed ? [columns, rows] : [rows, columns];
  const add = node.opType === 'MatMul' ? biasAdd(model, node, n, consumers, outputs) : undefined;
  const constant =
    node.opType === 'Gemm'
      ? model.initializers.get(node.input[2] ?? '')
      : add && model.initializers.get(add.input.find((name) => name !== node.output[0])!);
  return {
    node,
    add,
    nodes: add ? [node, add] : [node],
    input: node.input[0]!,
    output: (add ?? node).output[0]!,
    weight,
    k,
    n,
    hasBias: constant !== undefined,
    weights: () => {
      const values = floats(weight);
      return Float32Array.from({ length: k * n }, (_, at) =>
        transposed ? alpha * values[(at % n) * k + Math.floor(at / n)]! : alpha * values[at]!,
      );
    },
    bias: () => {
      if (constant === undefined) return undefined;
      const values = floats(constant);
      return Float32Array.from({ length: n }, (_, i) => beta * values[values.length === 1 ? 0 : i]!);
    },
  };
}

/** The Add of a constant row behind a MatMul, where nothing else sees the product. */
function biasAdd(
  model: OnnxModel,
  node: NodeProto,
  n: number,
  consumers: ReadonlyMap<string, readonly NodeProto[]>,
  outputs: ReadonlySet<string>,
): NodeProto | undefined {
  const product = node.output[0]!;
  const [add, ...others] = consumers.get(product) ?? [];
  if (add?.opType !== 'Add' || others.length > 0 || outputs.has(product)) return undefined;
  const row = model.initializers.get(add.input.find((name) => name !== product) ?? '');
  if (row === undefined || row.header.dataType !== TensorProto_DataType.FLOAT) return undefined;
  return elementsOf(row) === n && dimsOf(row).at(-1) === n ? add : undefined;
}

/** Puts new nodes in the place of old ones. */
export function substitute(model: OnnxModel, old: readonly NodeProto[], fresh: readonly NodeProto[]): void {
  const { graph } = model;
  // The last of the old ones: whatever feeds any of them stands before it.
  const at = Math.max(...old.map((node) => graph.node.indexOf(node)));
  graph.node.splice(at + 1, 0, ...fresh);
  graph.node = graph.node.filter((node) => !old.includes(node));
}
