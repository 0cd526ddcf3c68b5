import { intAttribute } from './build.js';
import type { NodeProto } from './proto/onnx_pb.js';

/** Shapes of a node's inputs and outputs in one run; undefined where the input is absent or unknown. */
export interface NodeShapes {
  readonly inputs: readonly (readonly number[] | undefined)[];
  readonly outputs: readonly (readonly number[] | undefined)[];
}

/**
 * Floating-point (or integer) operations of one node: a multiply-add counts as 2, any other operator as one an output
 * element, moving data as none. Undefined where a shape that matters is unknown. Source: ONNX's operator definitions.
 */
export function flopsOf(node: NodeProto, shapes: NodeShapes): number | undefined {
  const rule = RULES[node.opType];
  const output = shapes.outputs[0];
  if (rule) return rule(node, shapes);
  if (MOVES.has(node.opType)) return 0;
  return output && count(output);
}

type Rule = (node: NodeProto, shapes: NodeShapes) => number | undefined;

const RULES: Readonly<Record<string, Rule>> = {
  MatMul: (_node, { inputs, outputs }) => products(outputs[0], inputs[0]?.at(-1)),
  FusedMatMul: (_node, { inputs, outputs }) => products(outputs[0], inputs[0]?.at(-1)),
  MatMulInteger: (_node, { inputs, outputs }) => products(outputs[0], inputs[0]?.at(-1)),
  DynamicQuantizeMatMul: (_node, { inputs, outputs }) => products(outputs[0], inputs[0]?.at(-1)),
  MatMulIntegerToFloat: (_node, { inputs, outputs }) => products(outputs[0], inputs[0]?.at(-1)),
  QLinearMatMul: (_node, { inputs, outputs }) => products(outputs[0], inputs[0]?.at(-1)),
  MatMulNBits: (node, { outputs }) => products(outputs[0], intAttribute(node, 'K', 0)),
  Gemm: (node, { inputs, outputs }) => products(outputs[0], inputs[0]?.at(intAttribute(node, 'transA', 0) ? -2 : -1)),
  Conv: (_node, { inputs, outputs }) => products(outputs[0], inputs[1] && count(inputs[1].slice(1))),
  FusedConv: (_node, { inputs, outputs }) => products(outputs[0], inputs[1] && count(inputs[1].slice(1))),
  ConvInteger: (_node, { inputs, outputs }) => products(outputs[0], inputs[1] && count(inputs[1].slice(1))),
  QLinearConv: (_node, { inputs, outputs }) => products(outputs[0], inputs[3] && count(inputs[3].slice(1))),
  ConvTranspose: (_node, { inputs }) => products(inputs[0], inputs[1] && count(inputs[1].slice(1))),
  LSTM: recurrent,
  GRU: recurrent,
  RNN: recurrent,
};

/** W [directions, gates · hidden, inputs] and R [directions, gates · hidden, hidden], each once a step and row. */
function recurrent(_node: NodeProto, { inputs }: NodeShapes): number | undefined {
  const [x, w, r] = inputs;
  return x && w && r && 2 * count(x.slice(0, 2)) * (count(w) + count(r));
}

const MOVES: ReadonlySet<string> = new Set(
  (
    'Reshape Transpose Identity Constant ConstantOfShape Shape Size Cast Gather GatherND GatherElements Slice Concat Split ' +
    'Squeeze Unsqueeze Flatten Expand Pad Tile Dropout Range ScatterND ScatterElements DepthToSpace SpaceToDepth'
  ).split(' '),
);

function products(output: readonly number[] | undefined, inner: number | undefined): number | undefined {
  return output === undefined || inner === undefined ? undefined : 2 * count(output) * inner;
}

function count(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
