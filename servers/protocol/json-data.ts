import { fromBf16, fromFp16, toBf16, toFp16 } from './half.js';
import { float32Text } from './json-numbers.js';
import { ELEMENT_BYTES, elementCount, invalid, joinBytes, show, showShape, splitBytes } from './tensors.js';
import type { Datatype, Tensor } from './types.js';

/**
 * A tensor's JSON `data`, flat or nested as its shape, or numbers that were read already (json-numbers.ts), as raw bytes.
 *
 * Numbers must be in the datatype's range, and 64-bit integers may arrive as bigint (json-text.ts keeps their digits).
 * FP16 and BF16 are taken as numbers and rounded to nearest even (Triton refuses them in JSON; there is no other reading of
 * them). `"NaN"`, `"Infinity"` and `"-Infinity"` stand for themselves in floating-point tensors, as in proto3's JSON. BYTES
 * are strings, stored as UTF-8. Throws INVALID_ARGUMENT that names the tensor, what was found and what is expected.
 */
export function dataToBytes(place: string, datatype: Datatype, shape: readonly number[], data: unknown): Uint8Array {
  const numbers = data instanceof Float64Array ? data : undefined;
  if (!numbers && !Array.isArray(data)) throw invalid(`${place}: "data" is ${show(data)}; expected an array`);
  const count = elementCount(shape);
  const elements: ArrayLike<unknown> = numbers ?? flatten(place, shape, data as readonly unknown[], count);
  if (elements.length !== count)
    throw invalid(`${place}: "data" has ${elements.length} elements; expected ${count} for shape ${showShape(shape)}`);
  if (datatype === 'BYTES') return joinBytes(Array.from(elements, (element, i) => utf8(place, element, i)));
  const floats = datatype === 'FP32' && LITTLE_ENDIAN ? plainFloats(elements, count) : undefined;
  if (floats) return new Uint8Array(floats.buffer);
  const size = ELEMENT_BYTES[datatype];
  const bytes = new Uint8Array(count * size);
  const view = new DataView(bytes.buffer);
  const codec = CODECS[datatype];
  for (let i = 0; i < count; i++) {
    const value = codec.check(elements[i]);
    if (value === undefined)
      throw invalid(`${place}: element ${i} is ${show(elements[i])}; expected ${codec.expected} for ${datatype}`);
    codec.set(view, i * size, value);
  }
  return bytes;
}

/** What nearly every request has; undefined where an element is a word or something worse. */
function plainFloats(elements: ArrayLike<unknown>, count: number): Float32Array | undefined {
  if (elements instanceof Float64Array) return new Float32Array(elements);
  const floats = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const element = elements[i];
    if (typeof element !== 'number') return undefined;
    floats[i] = element;
  }
  return floats;
}

/** The JSON text of a tensor's elements as one flat array; 64-bit integers with all their digits. */
export function bytesToData(tensor: Tensor): string {
  if (tensor.datatype === 'BYTES') return JSON.stringify(splitBytes(tensor.data).map((bytes) => text(tensor, bytes)));
  const { get } = CODECS[tensor.datatype];
  const size = ELEMENT_BYTES[tensor.datatype];
  const view = new DataView(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  if (tensor.datatype === 'FP32') return float32Text(view, tensor.data.byteLength / size);
  const textOf = isFloat(tensor.datatype) ? floatText : String;
  const texts = new Array<string>(tensor.data.byteLength / size);
  for (let i = 0; i < texts.length; i++) texts[i] = textOf(get(view, i * size));
  return `[${texts.join(',')}]`;
}

/** As the protocol's raw content is. */
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

type Scalar = number | bigint | boolean;

interface Codec {
  readonly expected: string;
  /** The value to store, or undefined where the JSON value does not do. */
  check(value: unknown): Scalar | undefined;
  set(view: DataView, at: number, value: Scalar): void;
  get(view: DataView, at: number): Scalar;
}

const CODECS: Readonly<Record<Exclude<Datatype, 'BYTES'>, Codec>> = {
  BOOL: {
    expected: 'true or false',
    check: (value) => (typeof value === 'boolean' ? value : undefined),
    set: (view, at, value) => view.setUint8(at, value ? 1 : 0),
    get: (view, at) => view.getUint8(at) !== 0,
  },
  UINT8: integers(0, 0xff, 'Uint8'),
  UINT16: integers(0, 0xffff, 'Uint16'),
  UINT32: integers(0, 0xffffffff, 'Uint32'),
  INT8: integers(-0x80, 0x7f, 'Int8'),
  INT16: integers(-0x8000, 0x7fff, 'Int16'),
  INT32: integers(-0x80000000, 0x7fffffff, 'Int32'),
  UINT64: bigIntegers(0n, 2n ** 64n - 1n, 'BigUint64'),
  INT64: bigIntegers(-(2n ** 63n), 2n ** 63n - 1n, 'BigInt64'),
  FP16: floats(
    (view, at, value) => view.setUint16(at, toFp16(value), true),
    (view, at) => fromFp16(view.getUint16(at, true)),
  ),
  BF16: floats(
    (view, at, value) => view.setUint16(at, toBf16(value), true),
    (view, at) => fromBf16(view.getUint16(at, true)),
  ),
  FP32: floats(
    (view, at, value) => view.setFloat32(at, value, true),
    (view, at) => view.getFloat32(at, true),
  ),
  FP64: floats(
    (view, at, value) => view.setFloat64(at, value, true),
    (view, at) => view.getFloat64(at, true),
  ),
};

function integers(low: number, high: number, kind: 'Uint8' | 'Uint16' | 'Uint32' | 'Int8' | 'Int16' | 'Int32'): Codec {
  return {
    expected: `an integer from ${low} to ${high}`,
    check: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high ? value : undefined,
    set: (view, at, value) => view[`set${kind}`](at, Number(value), true),
    get: (view, at) => view[`get${kind}`](at, true),
  };
}

function bigIntegers(low: bigint, high: bigint, kind: 'BigUint64' | 'BigInt64'): Codec {
  return {
    expected: `an integer from ${low} to ${high}`,
    check: (value) => {
      const exact = typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
      return typeof exact === 'bigint' && exact >= low && exact <= high ? exact : undefined;
    },
    set: (view, at, value) => view[`set${kind}`](at, BigInt(value), true),
    get: (view, at) => view[`get${kind}`](at, true),
  };
}

function floats(
  set: (view: DataView, at: number, value: number) => void,
  get: (view: DataView, at: number) => number,
): Codec {
  return {
    expected: 'a number, or one of "NaN", "Infinity", "-Infinity"',
    check: (value) => {
      if (typeof value === 'number') return value;
      if (typeof value === 'bigint') return Number(value);
      return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : undefined;
    },
    set: (view, at, value) => set(view, at, Number(value)),
    get,
  };
}

function isFloat(datatype: Datatype): boolean {
  return datatype === 'FP32' || datatype === 'FP64' || datatype === 'FP16' || datatype === 'BF16';
}

/** JSON has no word for NaN and the infinities, and JavaScript prints −0 as 0. */
function floatText(value: Scalar): string {
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}

/** The elements in row-major order. Nested data must nest exactly as the shape. */
function flatten(place: string, shape: readonly number[], data: readonly unknown[], count: number): readonly unknown[] {
  if (shape.length < 2 || !Array.isArray(data[0])) return data;
  const elements: unknown[] = [];
  const walk = (level: unknown, depth: number): void => {
    if (depth === shape.length) {
      elements.push(level);
      return;
    }
    const found = Array.isArray(level) ? `${level.length} elements` : show(level);
    if (!Array.isArray(level) || level.length !== shape[depth])
      throw invalid(
        `${place}: "data" has ${found} at depth ${depth}; expected ${shape[depth]} for shape ${showShape(shape)}, or ${count} in one flat array`,
      );
    for (const inner of level) walk(inner, depth + 1);
  };
  walk(data, 0);
  return elements;
}

function utf8(place: string, element: unknown, index: number): Uint8Array {
  if (typeof element === 'string') return Buffer.from(element, 'utf8');
  throw invalid(`${place}: element ${index} is ${show(element)}; expected a string for BYTES`);
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function text(tensor: Tensor, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw invalid(
      `tensor "${tensor.name}": an element is not UTF-8 text and has no JSON form; ask for it with "binary_data": true`,
    );
  }
}
