import { z } from 'zod';
import { addConstants, node } from '../onnx/build.js';
import { innerGraphs, nameSource, replaceUses } from '../onnx/graph.js';
import { computedInitializer, dimsOf, type Initializer, normal, type OnnxModel } from '../onnx/model.js';
import { type NodeProto, TensorProto_DataType as T, type ValueInfoProto } from '../onnx/proto/onnx_pb.js';
import { floatPieces, fromTensor, halvesOf, rawBytes } from '../onnx/values.js';
import { definePass } from './contract.js';
import { finished, needOpset, nothingToDo, prepare, refuseQuantized } from './support/prepare.js';

const options = z.strictObject({
  /** `all` computes in FP16 where the runtime can; `weights` stores FP16 and computes in FP32. */
  scope: z.enum(['all', 'weights']).default('all'),
  /** Inputs and outputs stay FP32, converted at the edge (with `scope: all`). */
  keepTypes: z.boolean().default(true),
});

/** Operators that take FLOAT only, or whose sums outgrow FP16; they keep FP32 between two casts. */
const KEEP = new Set(
  'Resize Upsample NonMaxSuppression RoiAlign Range CumSum TopK RandomNormal RandomUniform RandomNormalLike RandomUniformLike Multinomial MelWeightMatrix ReduceSumSquare ReduceL2 ReduceLogSumExp'.split(
    ' ',
  ),
);

/**
 * Half precision: half the bytes; faster only where the runtime has FP16 kernels (GPUs, some CPUs), else it converts back
 * around each operator. Weights beyond ±65504 become ±65504. Source: IEEE 754 binary16; onnxconverter-common float16.
 */
export const fp16 = definePass({
  name: 'fp16',
  summary: 'half-precision weights, and half-precision arithmetic where the runtime has it',
  options,
  apply: async (original, { scope, keepTypes }, context) => {
    refuseQuantized(original, context);
    needOpset(original, 7, 'fp16', context);
    const prepared = prepare(original, context);
    const { model } = prepared;
    const constants = [...model.initializers.values()].filter(({ header }) => header.dataType === T.FLOAT);
    if (constants.length === 0) throw nothingToDo('fp16', 'FP32 weights', [], context);
    const clipped = constants.reduce((sum, constant) => sum + beyondRange(constant), 0);
    if (scope === 'weights') storeHalf(model, constants);
    else computeHalf(model, constants, keepTypes);
    const notes = clipped > 0 ? [`${clipped} weights lay beyond ±65504 and were clipped`] : [];
    return finished(prepared, { constants: constants.length, scope, clipped }, notes);
  },
});

/** Each weight becomes FP16 and a Cast: the runtime widens it once, while loading. */
function storeHalf(model: OnnxModel, constants: readonly Initializer[]): void {
  const fresh = nameSource(model);
  const casts: NodeProto[] = [];
  const outputs = new Set(model.graph.output.map(({ name }) => name));
  for (const constant of constants) {
    const { name } = constant.header;
    // What needs a constant as such (a scalar's bound, a kernel's shape) is small: it stays.
    if (constant.header.dims.length < 2 || outputs.has(name)) continue;
    const half = fresh(`${name}_half`);
    model.initializers.delete(name);
    addConstants(model, asHalf(constant, half));
    casts.push(node('Cast', [half], [name], { to: BigInt(T.FLOAT) }));
  }
  model.graph.node.unshift(...casts);
}

function computeHalf(model: OnnxModel, constants: readonly Initializer[], keepTypes: boolean): void {
  for (const constant of constants) addConstants(model, asHalf(constant, constant.header.name));
  const fresh = nameSource(model);
  convertNodes(model.graph.node);
  model.graph.node = model.graph.node.flatMap((each) => (KEEP.has(each.opType) ? widened(each, fresh) : [each]));
  for (const input of model.graph.input) if (isFloat(input)) convertInput(model, input, keepTypes, fresh);
  for (const output of model.graph.output) if (isFloat(output)) convertOutput(model, output, keepTypes, fresh);
}

/** Casts to FLOAT become casts to FLOAT16, and so do FP32 tensors in attributes; inner graphs included. */
function convertNodes(nodes: readonly NodeProto[]): void {
  for (const each of nodes) {
    for (const attribute of each.attribute) {
      const isTarget = (each.opType === 'Cast' && attribute.name === 'to') || attribute.name === 'dtype';
      if (isTarget && attribute.i === BigInt(T.FLOAT)) attribute.i = BigInt(T.FLOAT16);
      if (attribute.t?.dataType === T.FLOAT) attribute.t = halfTensor(attribute.t);
    }
    for (const graph of innerGraphs(each)) {
      for (const [i, tensor] of graph.initializer.entries())
        if (tensor.dataType === T.FLOAT) graph.initializer[i] = halfTensor(tensor);
      for (const value of [...graph.input, ...graph.output, ...graph.valueInfo]) if (isFloat(value)) setHalf(value);
      convertNodes(graph.node);
    }
  }
}

/** FP32 operators: FP16 inputs are widened before, outputs narrowed behind. */
function widened(each: NodeProto, fresh: (base: string) => string): NodeProto[] {
  if (normal(each.domain) !== '') return [each];
  const before: NodeProto[] = [];
  const after: NodeProto[] = [];
  const floatInputs = INPUTS_OF_FLOAT[each.opType] ?? [0];
  each.input = each.input.map((name, i) => {
    if (name === '' || !floatInputs.includes(i)) return name;
    const wide = fresh(`${name}_wide`);
    before.push(node('Cast', [name], [wide], { to: BigInt(T.FLOAT) }));
    return wide;
  });
  if (each.opType === 'NonMaxSuppression') return [...before, each];
  each.output = each.output.map((name, i) => {
    if (name === '' || i > 0) return name;
    const wide = fresh(`${name}_wide`);
    after.push(node('Cast', [wide], [name], { to: BigInt(T.FLOAT16) }));
    return wide;
  });
  return [...before, each, ...after];
}

/** Which inputs are floating point, where it is not the first alone. Source: ONNX's operator definitions. */
const INPUTS_OF_FLOAT: Readonly<Record<string, readonly number[]>> = {
  Resize: [0, 1, 2],
  Upsample: [0, 1],
  NonMaxSuppression: [0, 1, 3, 4],
  RoiAlign: [0, 1],
  Range: [0, 1, 2],
  RandomNormal: [],
  RandomUniform: [],
  MelWeightMatrix: [],
};

function convertInput(model: OnnxModel, input: ValueInfoProto, keep: boolean, fresh: (base: string) => string): void {
  if (!keep) {
    setHalf(input);
    return;
  }
  const half = fresh(`${input.name}_half`);
  replaceUses(model.graph.node, input.name, half);
  model.graph.node.unshift(node('Cast', [input.name], [half], { to: BigInt(T.FLOAT16) }));
}

function convertOutput(model: OnnxModel, output: ValueInfoProto, keep: boolean, fresh: (base: string) => string): void {
  if (!keep) {
    setHalf(output);
    return;
  }
  const half = fresh(`${output.name}_half`);
  for (const each of model.graph.node)
    for (let i = 0; i < each.output.length; i++) if (each.output[i] === output.name) each.output[i] = half;
  replaceUses(model.graph.node, output.name, half);
  model.graph.node.push(node('Cast', [half], [output.name], { to: BigInt(T.FLOAT) }));
}

function isFloat({ type }: ValueInfoProto): boolean {
  return type?.value.case === 'tensorType' && type.value.value.elemType === T.FLOAT;
}

function setHalf({ type }: ValueInfoProto): void {
  if (type?.value.case === 'tensorType') type.value.value.elemType = T.FLOAT16;
}

/** Computed while it is written: of weights that lie in a file, memory holds a piece. */
function asHalf(constant: Initializer, name: string): Initializer {
  const make = function* () {
    for (const values of floatPieces(constant)) yield new Uint8Array(halvesOf(values).buffer);
  };
  return computedInitializer(name, dimsOf(constant), T.FLOAT16, make);
}

function halfTensor(tensor: NonNullable<NodeProto['attribute'][number]['t']>): typeof tensor {
  const half = asHalf(fromTensor(tensor, tensor.name), tensor.name);
  half.header.rawData = rawBytes(half);
  return half.header;
}

function beyondRange(constant: Initializer): number {
  let beyond = 0;
  for (const values of floatPieces(constant)) for (const value of values) if (Math.abs(value) > 65504) beyond++;
  return beyond;
}
