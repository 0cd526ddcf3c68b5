import { clone, create } from '@bufbuild/protobuf';
import { type Initializer, type OnnxModel, opsetOf } from './model.js';
import {
  AttributeProto_AttributeType as A,
  type AttributeProto,
  AttributeProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './proto/onnx_pb.js';

/** An attribute's value: whole numbers as bigint become INT, numbers FLOAT, lists INTS or FLOATS, texts STRING. */
export type AttributeValue = bigint | number | string | readonly bigint[] | readonly number[];

/** Microsoft's operators, which ONNX Runtime has and others may not. */
export const MICROSOFT = 'com.microsoft';

/** A node, named after its first output. */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  domain = '',
): NodeProto {
  return create(NodeProtoSchema, {
    opType: operator,
    name: `${outputs[0]}/${operator}`,
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    ...(domain !== '' && { domain }),
  });
}

/** An input or output of a graph: texts are symbolic dimensions; without dims the rank is open. */
export function valueInfo(
  name: string,
  dims: readonly (number | string)[] | undefined,
  elemType: number = TensorProto_DataType.FLOAT,
): ValueInfoProto {
  const dim = (each: number | string) =>
    typeof each === 'string'
      ? ({ value: { case: 'dimParam', value: each } } as const)
      : ({ value: { case: 'dimValue', value: BigInt(each) } } as const);
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType, ...(dims && { shape: { dim: dims.map(dim) } }) } } },
  });
}

/** A copy that can be changed. */
export function copyValueInfo(value: ValueInfoProto): ValueInfoProto {
  return clone(ValueInfoProtoSchema, value);
}

/** Adds constants to a model. */
export function addConstants(model: OnnxModel, ...constants: readonly Initializer[]): void {
  for (const constant of constants) model.initializers.set(constant.header.name, constant);
}

/** Makes sure that the model imports an operator set of a domain other than the default one. */
export function importDomain(model: OnnxModel, domain: string, version: number): void {
  if (opsetOf(model, domain) !== undefined) return;
  model.head.opsetImport.push(create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }));
}

/** An integer attribute of a node, or what the operator takes without it. */
export function intAttribute(of: NodeProto, name: string, fallback: number): number {
  const found = of.attribute.find((each) => each.name === name);
  return found === undefined ? fallback : Number(found.i);
}

export function floatAttribute(of: NodeProto, name: string, fallback: number): number {
  return of.attribute.find((each) => each.name === name)?.f ?? fallback;
}

function attribute(name: string, value: AttributeValue): AttributeProto {
  return create(AttributeProtoSchema, { name, ...typed(value) });
}

function typed(value: AttributeValue) {
  if (typeof value === 'bigint') return { type: A.INT, i: value };
  if (typeof value === 'number') return { type: A.FLOAT, f: value };
  if (typeof value === 'string') return { type: A.STRING, s: Buffer.from(value) };
  return isIntegers(value) ? { type: A.INTS, ints: [...value] } : { type: A.FLOATS, floats: [...value] };
}

function isIntegers(values: readonly bigint[] | readonly number[]): values is readonly bigint[] {
  return typeof values[0] === 'bigint' || values.length === 0;
}
