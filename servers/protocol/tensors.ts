import { ProtocolError } from './errors.js';
import { DATATYPES, type Datatype } from './types.js';

/** Bytes of one element; 0 for BYTES, whose elements carry their own length. */
export const ELEMENT_BYTES: Readonly<Record<Datatype, number>> = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: 0,
};

/** True for the names of KServe v2's datatypes. */
function isDatatype(text: unknown): text is Datatype {
  return typeof text === 'string' && Object.hasOwn(ELEMENT_BYTES, text);
}

/** The datatype of a tensor as it came over the wire. Throws INVALID_ARGUMENT. */
export function toDatatype(text: unknown, place: string): Datatype {
  if (isDatatype(text)) return text;
  throw invalid(`${place}: unknown datatype ${show(text)}; expected one of ${DATATYPES.join(', ')}`);
}

/** Product of the dimensions; 1 for a scalar's `[]`. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const dim of shape) count *= dim;
  return count;
}

/** Bytes that a tensor of that shape holds; undefined for BYTES. */
export function byteCount(datatype: Datatype, shape: readonly number[]): number | undefined {
  const size = ELEMENT_BYTES[datatype];
  return size === 0 ? undefined : size * elementCount(shape);
}

/** Elements in a BYTES tensor's content; undefined where a length points past the end. */
export function countBytesElements(data: Uint8Array): number | undefined {
  let count = 0;
  let at = 0;
  while (at + 4 <= data.length) {
    at += 4 + lengthAt(data, at);
    count++;
  }
  return at === data.length ? count : undefined;
}

/** The elements of a BYTES tensor, as views. The content must be sound (`countBytesElements`). */
export function splitBytes(data: Uint8Array): Uint8Array[] {
  const elements: Uint8Array[] = [];
  for (let at = 0; at + 4 <= data.length; ) {
    const length = lengthAt(data, at);
    elements.push(data.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return elements;
}

/** Content of a BYTES tensor: per element a 4-byte little-endian length, then the bytes. */
export function joinBytes(elements: readonly Uint8Array[]): Uint8Array {
  const joined = Buffer.allocUnsafe(elements.reduce((sum, element) => sum + 4 + element.length, 0));
  let at = 0;
  for (const element of elements) {
    joined.writeUInt32LE(element.length, at);
    joined.set(element, at + 4);
    at += 4 + element.length;
  }
  return joined;
}

/** Error of a request that the client has to mend. */
export function invalid(message: string): ProtocolError {
  return new ProtocolError('INVALID_ARGUMENT', message);
}

/** A value as an error message shows it, cut to a length that fits into one. */
export function show(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** `[1,784]`. */
export function showShape(shape: readonly number[]): string {
  return `[${shape.join(',')}]`;
}

function lengthAt(data: Uint8Array, at: number): number {
  return (data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)) >>> 0;
}
