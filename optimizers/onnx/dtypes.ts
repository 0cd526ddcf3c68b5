import type { Datatype } from '../../servers/protocol/index.js';
import { TensorProto_DataType as T } from './proto/onnx_pb.js';

/** Bits of one element by ONNX's data type; strings have none. Source: onnx.proto, TensorProto.DataType. */
const BITS: Readonly<Partial<Record<T, number>>> = {
  [T.FLOAT]: 32,
  [T.UINT8]: 8,
  [T.INT8]: 8,
  [T.UINT16]: 16,
  [T.INT16]: 16,
  [T.INT32]: 32,
  [T.INT64]: 64,
  [T.BOOL]: 8,
  [T.FLOAT16]: 16,
  [T.DOUBLE]: 64,
  [T.UINT32]: 32,
  [T.UINT64]: 64,
  [T.COMPLEX64]: 64,
  [T.COMPLEX128]: 128,
  [T.BFLOAT16]: 16,
  [T.FLOAT8E4M3FN]: 8,
  [T.FLOAT8E4M3FNUZ]: 8,
  [T.FLOAT8E5M2]: 8,
  [T.FLOAT8E5M2FNUZ]: 8,
  [T.FLOAT8E8M0]: 8,
  [T.UINT4]: 4,
  [T.INT4]: 4,
  [T.FLOAT4E2M1]: 4,
  [T.UINT2]: 2,
  [T.INT2]: 2,
};

/** `FLOAT`, or `type 99` where ONNX has none of that number. */
export function typeName(type: number): string {
  return T[type] ?? `type ${type}`;
}

/** True for the types of onnx.proto but UNDEFINED. */
export function isKnownType(type: number): boolean {
  return type !== T.UNDEFINED && T[type] !== undefined;
}

/** Bytes of so many elements; undefined for strings and unknown types. Small types are packed, the last byte padded. */
export function byteLength(type: number, elements: number): number | undefined {
  const bits = BITS[type as T];
  return bits === undefined ? undefined : Math.ceil((elements * bits) / 8);
}

/** ONNX's data type → the protocol's name of it; absent where v2 has none. */
const DATATYPES: Readonly<Partial<Record<T, Datatype>>> = {
  [T.FLOAT]: 'FP32',
  [T.UINT8]: 'UINT8',
  [T.INT8]: 'INT8',
  [T.UINT16]: 'UINT16',
  [T.INT16]: 'INT16',
  [T.INT32]: 'INT32',
  [T.INT64]: 'INT64',
  [T.STRING]: 'BYTES',
  [T.BOOL]: 'BOOL',
  [T.FLOAT16]: 'FP16',
  [T.DOUBLE]: 'FP64',
  [T.UINT32]: 'UINT32',
  [T.UINT64]: 'UINT64',
  [T.BFLOAT16]: 'BF16',
};

/** The protocol's datatype for an ONNX data type; undefined where it has none. */
export function datatypeOf(type: number): Datatype | undefined {
  return DATATYPES[type as T];
}

/** ONNX's data type for one of the protocol's. */
export function elementTypeOf(datatype: Datatype): T {
  return Number(Object.keys(DATATYPES).find((type) => DATATYPES[Number(type) as T] === datatype));
}
