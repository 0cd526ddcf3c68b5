import { clone, create } from '@bufbuild/protobuf';
import { byteLength } from './dtypes.js';
import type { GraphProto, ModelProto, TensorProto } from './proto/onnx_pb.js';
import { GraphProtoSchema, ModelProtoSchema, TensorProto_DataType, TensorProtoSchema } from './proto/onnx_pb.js';
import type { Range } from './source.js';

/**
 * An ONNX model in memory without its weights: `head` is the model without its graph, `graph` the graph without its
 * initialisers, and these stay where they are, in the file, until someone asks for their values.
 */
export interface OnnxModel {
  readonly head: ModelProto;
  readonly graph: GraphProto;
  /** By name, in the file's order. */
  readonly initializers: Map<string, Initializer>;
}

/** A constant of the graph. `header` tells name, type and dims; never change it in place: models share it. */
export interface Initializer {
  readonly header: TensorProto;
  readonly payload: Payload;
}

export type Payload =
  /** Raw little-endian bytes, not yet in any file. */
  | { readonly kind: 'memory'; readonly bytes: Uint8Array }
  /** Fields of a TensorProto as they lie in a model file (tags included); `raw`: the content of raw_data, if that is the field. */
  | {
      readonly kind: 'spliced';
      readonly file: string;
      readonly fields: readonly Range[];
      readonly raw: Range | undefined;
    }
  /** Raw bytes in a file beside the model. */
  | { readonly kind: 'external'; readonly file: string; readonly range: Range }
  /** Raw bytes computed anew whenever they are wanted, in pieces that are the taker's: memory holds none of them in between. */
  | { readonly kind: 'computed'; readonly length: number; readonly make: () => Iterable<Uint8Array> };

/** An empty model. `irVersion` 10 is read by every ONNX Runtime since 1.18. */
export function emptyModel(name: string, opset: number, producer = 'servemark'): OnnxModel {
  return {
    head: create(ModelProtoSchema, {
      irVersion: 10n,
      producerName: producer,
      opsetImport: [{ version: BigInt(opset) }],
    }),
    graph: create(GraphProtoSchema, { name }),
    initializers: new Map(),
  };
}

/** A model that can be changed without changing this one. Weights are shared: they are never changed in place. */
export function cloneModel(model: OnnxModel): OnnxModel {
  return {
    head: clone(ModelProtoSchema, model.head),
    graph: clone(GraphProtoSchema, model.graph),
    initializers: new Map(model.initializers),
  };
}

/**
 * A constant from values in memory. Float32Array → FLOAT, Int8Array → INT8 …; `type` where the array cannot tell. Throws
 * RangeError where the values do not fill the dims.
 */
export function initializer(
  name: string,
  dims: readonly number[],
  values: Values,
  type: TensorProto_DataType = typeOfArray(values),
): Initializer {
  const header = create(TensorProtoSchema, { name, dims: dims.map(BigInt), dataType: type });
  if (byteLength(type, elementsOf({ header })) !== values.byteLength)
    throw new RangeError(`constant ${name}: ${values.length} values for [${dims}]`);
  return {
    header,
    payload: { kind: 'memory', bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) },
  };
}

/** A constant whose raw bytes are computed in pieces whenever they are wanted. */
export function computedInitializer(
  name: string,
  dims: readonly number[],
  type: TensorProto_DataType,
  make: () => Iterable<Uint8Array>,
): Initializer {
  const header = create(TensorProtoSchema, { name, dims: dims.map(BigInt), dataType: type });
  return { header, payload: { kind: 'computed', length: byteLength(type, elementsOf({ header }))!, make } };
}

/** Its dimensions as numbers. */
export function dimsOf({ header }: Pick<Initializer, 'header'>): number[] {
  return header.dims.map(Number);
}

/** How many elements its dimensions say. */
export function elementsOf(constant: Pick<Initializer, 'header'>): number {
  return dimsOf(constant).reduce((product, dim) => product * dim, 1);
}

/** The version of an operator set that the model imports; undefined where it imports none of that domain. */
export function opsetOf(model: OnnxModel, domain = ''): number | undefined {
  const found = model.head.opsetImport.find((each) => normal(each.domain) === normal(domain));
  return found && Number(found.version);
}

/** `ai.onnx` is another name of the default domain. */
export function normal(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

export type Values =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

function typeOfArray(values: Values): TensorProto_DataType {
  const T = TensorProto_DataType;
  if (values instanceof Float32Array) return T.FLOAT;
  if (values instanceof Float64Array) return T.DOUBLE;
  if (values instanceof Int8Array) return T.INT8;
  if (values instanceof Uint8Array) return T.UINT8;
  if (values instanceof Int16Array) return T.INT16;
  if (values instanceof Uint16Array) return T.UINT16;
  if (values instanceof Int32Array) return T.INT32;
  if (values instanceof Uint32Array) return T.UINT32;
  return values instanceof BigInt64Array ? T.INT64 : T.UINT64;
}
