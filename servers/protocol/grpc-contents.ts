import { type ProtoReader, WIRE } from './proto-reader.js';
import { invalid, joinBytes, show } from './tensors.js';
import type { Datatype } from './types.js';

/**
 * The raw bytes of a tensor's typed contents, packed or not. FP32 and FP64 that arrive packed, as all encoders send them,
 * stay views. `messages` are the tensor's `InferTensorContents`. Throws INVALID_ARGUMENT where they are not the datatype's.
 */
export function contentsToBytes(place: string, datatype: Datatype, messages: readonly ProtoReader[]): Uint8Array {
  const target = TARGETS[datatype];
  if (target === undefined)
    throw invalid(`${place}: ${datatype} has no typed contents in the protocol; expected raw contents`);
  const elements = new Elements(target);
  for (const reader of messages)
    while (reader.next()) {
      if (reader.field === target.field) elements.read(reader);
      else if (FIELDS[reader.field] === undefined) reader.skip();
      else throw invalid(`${place}: has ${FIELDS[reader.field]}; expected ${FIELDS[target.field]} for ${datatype}`);
    }
  return elements.toBytes(place, datatype);
}

/** The name of each field of `InferTensorContents`, by its number. */
const FIELDS: Readonly<Record<number, string>> = {
  1: 'bool_contents',
  2: 'int_contents',
  3: 'int64_contents',
  4: 'uint_contents',
  5: 'uint64_contents',
  6: 'fp32_contents',
  7: 'fp64_contents',
  8: 'bytes_contents',
};

/** Where the protocol puts a datatype, and how its elements are stored. */
interface Target {
  readonly field: number;
  /** Bytes of a stored element; 0: each carries its length. */
  readonly size: number;
  /** For varint fields: read one element, and store it. Others are stored as they come. */
  readonly integer?: {
    read(reader: ProtoReader): number | bigint;
    store(view: DataView, at: number, value: number | bigint): void;
    /** Where the field holds more than the datatype. */
    readonly range?: readonly [low: number, high: number];
  };
}

/** FP16 and BF16 have no typed field. */
const TARGETS: Readonly<Partial<Record<Datatype, Target>>> = {
  BOOL: integers(1, 1, (reader) => Number(reader.bool()), 'setUint8'),
  INT8: integers(2, 1, (reader) => reader.signed(), 'setInt8', [-0x80, 0x7f]),
  INT16: integers(2, 2, (reader) => reader.signed(), 'setInt16', [-0x8000, 0x7fff]),
  INT32: integers(2, 4, (reader) => reader.signed(), 'setInt32'),
  UINT8: integers(4, 1, (reader) => reader.unsigned(), 'setUint8', [0, 0xff]),
  UINT16: integers(4, 2, (reader) => reader.unsigned(), 'setUint16', [0, 0xffff]),
  UINT32: integers(4, 4, (reader) => reader.unsigned(), 'setUint32'),
  INT64: bigIntegers(3, (reader) => reader.int64(), 'setBigInt64'),
  UINT64: bigIntegers(5, (reader) => reader.uint64(), 'setBigUint64'),
  FP32: { field: 6, size: 4 },
  FP64: { field: 7, size: 8 },
  BYTES: { field: 8, size: 0 },
};

function integers(
  field: number,
  size: number,
  read: (reader: ProtoReader) => number,
  set: 'setUint8' | 'setInt8' | 'setUint16' | 'setInt16' | 'setUint32' | 'setInt32',
  range?: readonly [number, number],
): Target {
  const store = (view: DataView, at: number, value: number | bigint) => view[set](at, Number(value), true);
  return { field, size, integer: range ? { read, store, range } : { read, store } };
}

function bigIntegers(
  field: number,
  read: (reader: ProtoReader) => bigint,
  set: 'setBigInt64' | 'setBigUint64',
): Target {
  return { field, size: 8, integer: { read, store: (view, at, value) => view[set](at, BigInt(value), true) } };
}

/** Collects the elements of one tensor from however many packed runs and single elements they come in. */
class Elements {
  private readonly values: (number | bigint)[] = [];
  private readonly parts: Uint8Array[] = [];

  constructor(private readonly target: Target) {}

  read(reader: ProtoReader): void {
    const { integer, size } = this.target;
    if (integer) {
      if (reader.is(WIRE.varint)) this.values.push(integer.read(reader));
      else if (reader.is(WIRE.bytes))
        for (const run = reader.message(); !run.done; ) this.values.push(integer.read(run));
      else reader.skip();
    } else if (reader.is(WIRE.bytes)) this.parts.push(reader.bytes());
    else if (reader.is(size === 4 ? WIRE.fixed32 : WIRE.fixed64) && size > 0) this.parts.push(reader.fixed(size));
    else reader.skip();
  }

  toBytes(place: string, datatype: Datatype): Uint8Array {
    const { integer, size } = this.target;
    if (datatype === 'BYTES') return joinBytes(this.parts);
    if (!integer) return this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts);
    const bytes = new Uint8Array(this.values.length * size);
    const view = new DataView(bytes.buffer);
    const [low, high] = integer.range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    this.values.forEach((value, i) => {
      if (value < low || value > high)
        throw invalid(`${place}: element ${i} is ${show(value)}; expected ${low} to ${high} for ${datatype}`);
      integer.store(view, i * size, value);
    });
    return bytes;
  }
}
