import { TensorProto_DataType } from '../onnx/proto/onnx_pb.js';
import { GraphBuilder, type Value } from './builder.js';
import {
  activation,
  batchNorm,
  binary,
  clip,
  concat,
  convolution,
  dense,
  depthwise,
  flatten,
  mean,
  pad,
  pool,
  reshape,
  softmax,
  unary,
  type Window,
} from './operators.js';
import type { TfjsModel, TfjsWeight } from './reader.js';

/** An attribute of a TensorFlow node as its JSON form writes it. */
interface Attribute {
  readonly s?: string;
  readonly i?: string | number;
  readonly f?: number;
  readonly b?: boolean;
  readonly type?: string | number;
  readonly shape?: { readonly dim?: readonly { readonly size: string | number }[] };
  readonly list?: { readonly i?: readonly (string | number)[]; readonly s?: readonly string[] };
}

interface TfNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, Attribute>>;
}

/** A frozen graph model as ONNX, in inference. Throws UserError that names the first node whose operator is not known. */
export function convertGraph(model: TfjsModel): GraphBuilder {
  const builder = new GraphBuilder('tfjs', model.path);
  const nodes = new Map((model.topology.node as TfNode[]).map((each) => [each.name, each]));
  const values = new Map<string, Value>();
  const find = (input: string): Value => {
    const name = baseName(input);
    const known = values.get(name);
    if (known) return known;
    const found = nodes.get(name);
    if (found === undefined) throw builder.refusal(`an input "${name}" that no node makes`);
    const made = convert(builder, found, find, model);
    values.set(name, made);
    return made;
  };
  for (const each of nodes.values()) if (each.op === 'Placeholder') find(each.name);
  for (const name of outputNames(model, nodes)) builder.output(find(name), name, undefined);
  return builder;
}

function convert(b: GraphBuilder, node: TfNode, find: (name: string) => Value, model: TfjsModel): Value {
  const weight = model.weights.get(node.name);
  if (node.op === 'Const') {
    if (weight === undefined) throw b.refusal(`constant "${node.name}" without a value`);
    return b.constant(node.name, weight);
  }
  if (node.op === 'Placeholder') return b.input(node.name, placeholderDims(b, node), typeOf(b, node));
  const rule = OPERATORS[node.op];
  if (rule === undefined) throw b.refusal(`node "${node.name}" (${node.op})`);
  const inputs = (node.input ?? []).filter((name) => !name.startsWith('^')).map(find);
  return rule(b, inputs, node);
}

type Rule = (b: GraphBuilder, inputs: readonly Value[], node: TfNode) => Value;

const same =
  (operator: string): Rule =>
  (b, [x]) =>
    unary(b, operator, x!);
const two =
  (operator: string): Rule =>
  (b, [x, y]) =>
    binary(b, operator, x!, y!);
const pass: Rule = (_b, [x]) => x!;

const windowPool =
  (kind: 'AveragePool' | 'MaxPool'): Rule =>
  (b, [x], node) => {
    const [, h, w] = integers(node, 'ksize');
    return pool(b, x!, kind, [h!, w!], windowOf(b, node));
  };

const OPERATORS: Readonly<Record<string, Rule>> = {
  Identity: pass,
  StopGradient: pass,
  Conv2D: (b, [x, kernel], node) => convolution(b, x!, held(b, kernel, node), undefined, windowOf(b, node)),
  DepthwiseConv2dNative: (b, [x, kernel], node) =>
    depthwise(b, x!, held(b, kernel, node), undefined, windowOf(b, node)),
  _FusedConv2D: (b, [x, kernel, ...more], node) =>
    fused(b, node, more, (bias) => convolution(b, x!, held(b, kernel, node), bias, windowOf(b, node))),
  FusedDepthwiseConv2dNative: (b, [x, kernel, ...more], node) =>
    fused(b, node, more, (bias) => depthwise(b, x!, held(b, kernel, node), bias, windowOf(b, node))),
  MatMul: (b, [x, kernel], node) => dense(b, x!, held(b, kernel, node), undefined, transposed(b, node)),
  _FusedMatMul: (b, [x, kernel, ...more], node) =>
    fused(b, node, more, (bias) => dense(b, x!, held(b, kernel, node), bias, transposed(b, node))),
  BiasAdd: two('Add'),
  Add: two('Add'),
  AddV2: two('Add'),
  Sub: two('Sub'),
  Mul: two('Mul'),
  RealDiv: two('Div'),
  Maximum: two('Max'),
  Minimum: two('Min'),
  FusedBatchNorm: normalised,
  FusedBatchNormV3: normalised,
  Relu: same('Relu'),
  Relu6: (b, [x]) => clip(b, x!, 0, 6),
  LeakyRelu: (b, [x], { attr }) => unary(b, 'LeakyRelu', x!, { alpha: attr?.alpha?.f ?? 0.2 }),
  Elu: same('Elu'),
  Sigmoid: same('Sigmoid'),
  Tanh: same('Tanh'),
  Sqrt: same('Sqrt'),
  Exp: same('Exp'),
  Neg: same('Neg'),
  Softmax: (b, [x]) => softmax(b, x!),
  AvgPool: windowPool('AveragePool'),
  MaxPool: windowPool('MaxPool'),
  Mean: (b, [x, axes], node) => mean(b, x!, [...held(b, axes, node).values], node.attr?.keep_dims?.b === true),
  Pad: (b, [x, pads], node) => pad(b, x!, pairs(held(b, pads, node).values)),
  ConcatV2: (b, inputs, node) => concat(b, inputs.slice(0, -1), held(b, inputs.at(-1), node).values[0]!),
  // A first dimension of −1 is the batch's: others follow from the constant.
  Reshape: (b, [x, shape], node) => reshape(b, x!, [...held(b, shape, node).values]),
  Squeeze: (b, [x], node) => {
    const axes = integers(node, 'squeeze_dims');
    if (x!.rank === 4 && axes.join() === '1,2') return flatten(b, x!);
    if (axes.length === 0) throw b.refusal(`node "${node.name}" (Squeeze without dimensions)`);
    return b.add('Squeeze', [b.plain(x!).name, b.integers('axes', axes)], { rank: x!.rank - axes.length });
  },
};

function normalised(b: GraphBuilder, [x, scale, offset, average, variance]: readonly Value[], node: TfNode): Value {
  return batchNorm(b, x!, {
    scale: held(b, scale, node),
    offset: held(b, offset, node),
    mean: held(b, average, node),
    variance: held(b, variance, node),
    epsilon: node.attr?.epsilon?.f ?? 1e-3,
  });
}

/** What is fused behind a product: a bias, then an activation. */
function fused(
  b: GraphBuilder,
  node: TfNode,
  more: readonly Value[],
  make: (bias: TfjsWeight | undefined) => Value,
): Value {
  const [first, ...rest] = (node.attr?.fused_ops?.list?.s ?? []).map(text);
  const hasBias = first === 'BiasAdd';
  if ([first, ...rest].includes('FusedBatchNorm'))
    throw b.refusal(`node "${node.name}" (${node.op} with FusedBatchNorm)`);
  const value = make(hasBias ? held(b, more[0], node) : undefined);
  const name = (hasBias ? rest[0] : first) ?? 'linear';
  const result = activation(b, name, value, node.attr?.leakyrelu_alpha?.f ?? 0.2);
  if (result === undefined) throw b.refusal(`node "${node.name}" (${node.op} with ${name})`);
  return result;
}

function held(b: GraphBuilder, value: Value | undefined, { name, op }: TfNode): TfjsWeight {
  if (value?.constant) return value.constant;
  throw b.refusal(`node "${name}" (${op}) whose weights or shape are computed`);
}

function transposed(b: GraphBuilder, { name, op, attr }: TfNode): boolean {
  if (attr?.transpose_a?.b === true) throw b.refusal(`node "${name}" (${op} of a transposed input)`);
  return attr?.transpose_b?.b === true;
}

function windowOf(b: GraphBuilder, node: TfNode): Window {
  if (text(node.attr?.data_format?.s ?? '') === 'NCHW') throw b.refusal(`node "${node.name}" with channels first`);
  const [, sh = 1, sw = 1] = integers(node, 'strides');
  const [, dh = 1, dw = 1] = integers(node, 'dilations');
  const padding = text(node.attr?.padding?.s ?? '');
  if (padding !== 'EXPLICIT')
    return { strides: [sh, sw], dilations: [dh, dw], padding: padding === 'SAME' ? 'same' : 'valid' };
  const [, , top, bottom, left, right] = integers(node, 'explicit_paddings');
  return { strides: [sh, sw], dilations: [dh, dw], padding: [top!, left!, bottom!, right!] };
}

function integers({ attr }: TfNode, name: string): number[] {
  return (attr?.[name]?.list?.i ?? []).map(Number);
}

function pairs(values: ArrayLike<number>): [number, number][] {
  return Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i]!, values[2 * i + 1]!]);
}

/** Texts are base64 in the JSON form; older converters wrote them plainly. */
function text(value: string): string {
  return /^[A-Z]/.test(value) && /^(SAME|VALID|EXPLICIT|NHWC|NCHW)$/.test(value)
    ? value
    : Buffer.from(value, 'base64').toString('utf8');
}

function placeholderDims(b: GraphBuilder, { name, attr }: TfNode): (number | null)[] {
  const dims = attr?.shape?.shape?.dim;
  if (dims === undefined) throw b.refusal(`an input "${name}" without a shape`);
  return dims.map(({ size }) => (Number(size) < 0 ? null : Number(size)));
}

function typeOf(b: GraphBuilder, { name, attr }: TfNode): number {
  const type = attr?.dtype?.type ?? 'DT_FLOAT';
  if (type === 'DT_FLOAT' || type === 1) return TensorProto_DataType.FLOAT;
  if (type === 'DT_INT32' || type === 3) return TensorProto_DataType.INT32;
  throw b.refusal(`an input "${name}" of type ${type}`);
}

/** The signature's, else what no node uses. */
function outputNames({ signature }: TfjsModel, nodes: ReadonlyMap<string, TfNode>): string[] {
  const named = Object.values(signature?.outputs ?? {}).map(({ name }) => baseName(name));
  if (named.length > 0) return named;
  const used = new Set([...nodes.values()].flatMap(({ input = [] }) => input.map(baseName)));
  return [...nodes.values()].filter(({ name, op }) => !used.has(name) && op !== 'Const').map(({ name }) => name);
}

function baseName(input: string): string {
  return input.replace(/^\^/, '').replace(/:\d+$/, '');
}
