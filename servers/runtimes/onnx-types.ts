import type { Datatype } from '../protocol/index.js';
import { joinBytes, splitBytes } from '../protocol/tensors.js';

type Values =
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array;

interface Element {
  readonly datatype: Datatype;
  /** Views a tensor's own buffer; no copy. */
  readonly view: (buffer: ArrayBuffer) => Values;
}

/** ONNX Runtime's element types that v2 knows; `string` (BYTES) is apart because it is no memory. */
export const ELEMENTS: Readonly<Record<string, Element>> = {
  bool: { datatype: 'BOOL', view: (buffer) => new Uint8Array(buffer) },
  uint8: { datatype: 'UINT8', view: (buffer) => new Uint8Array(buffer) },
  uint16: { datatype: 'UINT16', view: (buffer) => new Uint16Array(buffer) },
  uint32: { datatype: 'UINT32', view: (buffer) => new Uint32Array(buffer) },
  uint64: { datatype: 'UINT64', view: (buffer) => new BigUint64Array(buffer) },
  int8: { datatype: 'INT8', view: (buffer) => new Int8Array(buffer) },
  int16: { datatype: 'INT16', view: (buffer) => new Int16Array(buffer) },
  int32: { datatype: 'INT32', view: (buffer) => new Int32Array(buffer) },
  int64: { datatype: 'INT64', view: (buffer) => new BigInt64Array(buffer) },
  float16: { datatype: 'FP16', view: (buffer) => new Uint16Array(buffer) },
  float32: { datatype: 'FP32', view: (buffer) => new Float32Array(buffer) },
  float64: { datatype: 'FP64', view: (buffer) => new Float64Array(buffer) },
};

/** ONNX Runtime's name of a v2 datatype; undefined for BF16, which its Node binding does not carry. */
export function elementOf(datatype: Datatype): string | undefined {
  if (datatype === 'BYTES') return 'string';
  return Object.keys(ELEMENTS).find((name) => ELEMENTS[name]!.datatype === datatype);
}

/** v2's name of an ONNX Runtime element type; undefined where v2 has none. */
export function datatypeOf(element: string): Datatype | undefined {
  return element === 'string' ? 'BYTES' : ELEMENTS[element]?.datatype;
}

/** BYTES content → texts (UTF-8, as ONNX strings are). */
export function toStrings(buffer: ArrayBuffer): string[] {
  return splitBytes(new Uint8Array(buffer)).map((element) => TEXT.decode(element));
}

/** Texts → BYTES content in a buffer of its own. */
export function fromStrings(texts: readonly string[]): ArrayBuffer {
  const joined = joinBytes(texts.map((text) => Buffer.from(text)));
  return ownBuffer(joined);
}

/** The bytes of a view as a buffer that can be transferred: the view's own where it covers all of it, else a copy. */
export function ownBuffer(view: ArrayBufferView): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = view;
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) return buffer;
  return new Uint8Array(buffer, byteOffset, byteLength).slice().buffer;
}

const TEXT = new TextDecoder();
