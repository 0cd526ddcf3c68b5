/** An ONNX graph as data: what `encodeModel` writes. Names of values tie nodes, constants, inputs and outputs together. */
export interface OnnxModel {
  readonly name: string;
  readonly opset: number;
  readonly producer: string;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxConstant[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/** An FP32 tensor's name and shape; texts are symbolic dimensions. */
export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

export interface OnnxNode {
  /** `Gemm`, `Relu` … of the default operator set. */
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Whole numbers become INT attributes, which covers what dense networks need. */
  readonly integers?: Readonly<Record<string, number>>;
}

export interface OnnxConstant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/**
 * The model as the bytes of a ModelProto, IR version 10: fields are written in the schema's order, so that equal models
 * are equal bytes. Source: onnx.proto (field numbers), Protocol Buffers encoding.
 */
export function encodeModel(model: OnnxModel): Buffer {
  return Buffer.concat([
    integer(1, IR_VERSION),
    text(2, model.producer),
    message(7, graph(model)),
    message(8, integer(2, model.opset)),
    ...Object.entries(model.metadata ?? {}).map(([key, value]) => message(14, text(1, key), text(2, value))),
  ]);
}

const IR_VERSION = 10;
const FLOAT = 1;
const ATTRIBUTE_INT = 2;

function graph(model: OnnxModel): Buffer {
  return Buffer.concat([
    ...model.nodes.map((node, i) => message(1, encodeNode(node, i))),
    text(2, model.name),
    ...model.constants.map((constant) => message(5, encodeConstant(constant))),
    ...model.inputs.map((value) => message(11, encodeValue(value))),
    ...model.outputs.map((value) => message(12, encodeValue(value))),
  ]);
}

function encodeNode(node: OnnxNode, position: number): Buffer {
  return Buffer.concat([
    ...node.inputs.map((name) => text(1, name)),
    ...node.outputs.map((name) => text(2, name)),
    text(3, `${node.operator}_${position}`),
    text(4, node.operator),
    ...Object.entries(node.integers ?? {}).map(([name, value]) =>
      message(5, text(1, name), integer(3, value), integer(20, ATTRIBUTE_INT)),
    ),
  ]);
}

/** Raw little-endian data. Throws RangeError where the values do not fill the shape. */
function encodeConstant({ name, shape, values }: OnnxConstant): Buffer {
  const size = shape.reduce((a, b) => a * b, 1);
  if (size !== values.length) throw new RangeError(`constant ${name}: ${values.length} values for [${shape}]`);
  const raw = Buffer.alloc(values.length * 4);
  for (let i = 0; i < values.length; i++) raw.writeFloatLE(values[i]!, 4 * i);
  return Buffer.concat([...shape.map((dim) => integer(1, dim)), integer(2, FLOAT), text(8, name), message(9, raw)]);
}

function encodeValue({ name, shape }: OnnxValue): Buffer {
  const dims = shape.map((dim) => message(1, typeof dim === 'string' ? text(2, dim) : integer(1, dim)));
  return Buffer.concat([text(1, name), message(2, message(1, integer(1, FLOAT), message(2, ...dims)))]);
}

/** A varint field; `value` is a whole number from 0 to 2^53. */
function integer(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function text(field: number, value: string): Buffer {
  return message(field, Buffer.from(value));
}

/** A length-delimited field. */
function message(field: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([varint(field * 8 + 2), varint(length), ...parts]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
