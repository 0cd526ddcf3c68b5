import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { UserError } from '../../results/errors.js';
import { fromBf16, fromFp16 } from '../../servers/protocol/index.js';
import { byteLength, typeName } from './dtypes.js';
import { elementsOf, type Initializer } from './model.js';
import { TensorProto_DataType as T, type TensorProto, TensorProtoSchema } from './proto/onnx_pb.js';
import { type FileRange, type Range, withSource } from './source.js';

/** A constant's raw little-endian bytes, read now. Throws UserError for strings and where the file has too few. */
export function rawBytes(constant: Initializer): Uint8Array {
  const { payload } = constant;
  if (payload.kind === 'memory') return payload.bytes;
  if (payload.kind === 'computed') return Buffer.concat([...payload.make()]);
  if (payload.kind === 'external') return readRange(payload.file, payload.range);
  if (payload.raw) return readRange(payload.file, payload.raw);
  const tensor = withSource(payload.file, (source) =>
    fromBinary(TensorProtoSchema, Buffer.concat(payload.fields.map((range) => source.read(range)))),
  );
  return bytesOfFields(tensor, constant.header);
}

/** A floating-point constant's values; not to be changed in place. Throws UserError for other types and where values do not fill the dims. */
export function floats(constant: Initializer): Float32Array {
  const { name, dataType } = constant.header;
  const read = FLOATS[dataType as T];
  if (read === undefined) throw wrong(name, `holds ${typeName(dataType)}`, 'FLOAT, FLOAT16, BFLOAT16 or DOUBLE');
  const values = read(aligned(rawBytes(constant)));
  const expected = elementsOf(constant);
  if (values.length !== expected) throw wrong(name, `holds ${values.length} values`, `${expected}, as its dims say`);
  return values;
}

/** `floats` in pieces: of values that lie raw in a file, memory holds 1 MiB. Throws UserError as `floats` does. */
export function* floatPieces(constant: Initializer): Generator<Float32Array> {
  const raw = rawStretch(constant);
  if (raw === undefined || constant.header.dataType !== T.FLOAT || raw.range.length !== 4 * elementsOf(constant)) {
    yield floats(constant);
    return;
  }
  const { offset, length } = raw.range;
  for (let at = 0; at < length; at += PIECE)
    yield new Float32Array(aligned(readRange(raw.file, { offset: offset + at, length: Math.min(PIECE, length - at) })));
}

/** Where its values lie raw in a file; undefined where they lie in memory, in typed fields or nowhere yet. */
export function rawStretch({ payload }: Initializer): FileRange | undefined {
  if (payload.kind === 'external') return payload;
  return payload.kind === 'spliced' && payload.raw ? { file: payload.file, range: payload.raw } : undefined;
}

const PIECE = 1 << 20;

/** An integer constant's values, exactly. Throws UserError for other types. */
export function integers(constant: Initializer): bigint[] {
  const { name, dataType } = constant.header;
  const read = INTEGERS[dataType as T];
  if (read === undefined) throw wrong(name, `holds ${typeName(dataType)}`, 'an integer type');
  return read(aligned(rawBytes(constant)));
}

/**
 * FP32 → bits of FP16, rounded to nearest even; beyond ±65504 it becomes ±65504, NaN stays. For millions of weights: on bits,
 * several times as fast as the protocol's `toFp16`, which takes doubles and keeps infinities.
 */
export function halvesOf(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const size = bits[i]! & 0x7fff_ffff;
    const half = sizeOf(size);
    halves[i] = size > INFINITY ? half : ((bits[i]! >>> 16) & 0x8000) | half;
  }
  return halves;
}

const INFINITY = 0x7f80_0000;
/** 65504, 2⁻¹⁴ (the smallest normal FP16) and 2⁻²⁵ (half of the smallest one) as FP32. */
const [LARGEST, NORMAL, NOTHING] = [0x477f_e000, 0x3880_0000, 0x3300_0000];

/** FP32's bits without the sign → FP16's. */
function sizeOf(size: number): number {
  if (size > LARGEST) return size > INFINITY ? 0x7e00 : 0x7bff;
  if (size >= NORMAL) return (size - 0x3800_0000 + 0xfff + ((size >>> 13) & 1)) >>> 13;
  if (size <= NOTHING) return 0;
  // A subnormal: so many steps of 2⁻²⁴.
  const shift = 126 - (size >>> 23);
  const fraction = (size & 0x7f_ffff) | 0x80_0000;
  const steps = fraction >>> shift;
  const rest = fraction - steps * 2 ** shift;
  const tie = 2 ** (shift - 1);
  return rest > tie || (rest === tie && (steps & 1) === 1) ? steps + 1 : steps;
}

/** A TensorProto that lies in memory (an attribute's) as a constant. */
export function fromTensor(tensor: TensorProto, name: string): Initializer {
  const header = fromBinary(TensorProtoSchema, new Uint8Array());
  header.name = name;
  header.dims = tensor.dims;
  header.dataType = tensor.dataType;
  const bytes = tensor.rawData.length > 0 ? tensor.rawData : bytesOfFields(tensor, tensor);
  return { header, payload: { kind: 'memory', bytes } };
}

/** A constant of texts whose header holds them: it needs no file any more. */
export function inlineStrings(constant: Initializer): Initializer {
  const { header, payload } = constant;
  if (payload.kind !== 'spliced') return constant;
  const values = withSource(payload.file, (source) => payload.fields.map((range) => source.read(range)));
  const whole = fromBinary(TensorProtoSchema, Buffer.concat([toBinary(TensorProtoSchema, header), ...values]));
  return { header: whole, payload: { kind: 'spliced', file: '', fields: [], raw: undefined } };
}

type Reader<R> = (buffer: ArrayBuffer) => R;

const FLOATS: Readonly<Partial<Record<T, Reader<Float32Array>>>> = {
  [T.FLOAT]: (buffer) => new Float32Array(buffer, 0, buffer.byteLength >> 2),
  [T.DOUBLE]: (buffer) => Float32Array.from(new Float64Array(buffer)),
  [T.FLOAT16]: (buffer) => Float32Array.from(new Uint16Array(buffer), fromFp16),
  [T.BFLOAT16]: (buffer) => Float32Array.from(new Uint16Array(buffer), fromBf16),
};

const INTEGERS: Readonly<Partial<Record<T, Reader<bigint[]>>>> = {
  [T.INT64]: (buffer) => [...new BigInt64Array(buffer)],
  [T.UINT64]: (buffer) => [...new BigUint64Array(buffer)],
  [T.INT32]: (buffer) => Array.from(new Int32Array(buffer), BigInt),
  [T.UINT32]: (buffer) => Array.from(new Uint32Array(buffer), BigInt),
  [T.INT16]: (buffer) => Array.from(new Int16Array(buffer), BigInt),
  [T.UINT16]: (buffer) => Array.from(new Uint16Array(buffer), BigInt),
  [T.INT8]: (buffer) => Array.from(new Int8Array(buffer), BigInt),
  [T.UINT8]: (buffer) => Array.from(new Uint8Array(buffer), BigInt),
  [T.BOOL]: (buffer) => Array.from(new Uint8Array(buffer), BigInt),
};

/** The values of typed fields as raw bytes. Source: onnx.proto, which field holds which type. */
function bytesOfFields(tensor: TensorProto, { name, dataType, dims }: TensorProto): Uint8Array {
  if (dataType === T.STRING) throw wrong(name, 'holds STRING', 'numbers');
  if (tensor.rawData.length > 0) return tensor.rawData;
  if (tensor.floatData.length > 0) return bytesOf(Float32Array.from(tensor.floatData));
  if (tensor.doubleData.length > 0) return bytesOf(Float64Array.from(tensor.doubleData));
  if (tensor.int64Data.length > 0) return bytesOf(BigInt64Array.from(tensor.int64Data));
  if (tensor.uint64Data.length > 0)
    return dataType === T.UINT64
      ? bytesOf(BigUint64Array.from(tensor.uint64Data))
      : bytesOf(Uint32Array.from(tensor.uint64Data, Number));
  const each = byteLength(dataType, 1) ?? 4;
  const count = dims.reduce((product, dim) => product * Number(dim), 1);
  const bytes = byteLength(dataType, count) ?? 4 * count;
  const wide = bytesOf(Int32Array.from(tensor.int32Data));
  // int32_data holds one element each (or one byte of packed ones), of which the low bytes count.
  const low = new Uint8Array(tensor.int32Data.length * each);
  for (let i = 0; i < tensor.int32Data.length; i++) low.set(wide.subarray(4 * i, 4 * i + each), i * each);
  return low.subarray(0, bytes);
}

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A buffer of the bytes' own: views of wider types ask for aligned memory. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  if (bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength) return bytes.buffer;
  return new Uint8Array(bytes).buffer;
}

function readRange(file: string, range: Range): Uint8Array {
  return withSource(file, (source) => source.read(range));
}

function wrong(name: string, found: string, allowed: string): UserError {
  return new UserError({ place: `initializer "${name}"`, found, allowed });
}
