import { UserError } from '../../results/errors.js';
import type { ByteSource, Range } from './source.js';

/** One field of a message as it lies in the file. Source: Protocol Buffers, encoding. */
export interface WireField {
  readonly number: number;
  /** Tag included. */
  readonly whole: Range;
  /** Of a length-delimited field: what is inside; undefined for numbers. */
  readonly content: Range | undefined;
}

/**
 * The fields of the message that fills `range`, in order; contents are passed over, not read. Throws UserError where the
 * bytes are no protobuf message.
 */
export function* fieldsOf(source: ByteSource, range: Range): Generator<WireField> {
  const end = range.offset + range.length;
  for (let at = range.offset; at < end; ) {
    const tag = varint(source, at);
    const number = Math.floor(tag.value / 8);
    const content = contentOf(source, tag.value % 8, tag.end);
    const after = content.offset + content.length;
    if (number !== 0 && after > source.size) throw cutShort(source, at, after);
    if (number === 0 || after > end) throw broken(source.path, at);
    yield {
      number,
      whole: { offset: at, length: after - at },
      content: tag.value % 8 === DELIMITED ? content : undefined,
    };
    at = after;
  }
}

/** A length-delimited field's tag and length. */
export function delimitedHead(number: number, length: number): Uint8Array {
  return Uint8Array.from([...encodeVarint(number * 8 + DELIMITED), ...encodeVarint(length)]);
}

const DELIMITED = 2;

function contentOf(source: ByteSource, type: number, at: number): Range {
  if (type === 0) return { offset: at, length: varint(source, at).end - at };
  if (type === 1) return { offset: at, length: 8 };
  if (type === 5) return { offset: at, length: 4 };
  if (type !== DELIMITED) throw broken(source.path, at);
  const length = varint(source, at);
  return { offset: length.end, length: length.value };
}

/** Values above 2^53 lose digits: only their place matters here. */
function varint(source: ByteSource, at: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = source.byte(at + i);
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  throw broken(source.path, at);
}

function encodeVarint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...encodeVarint(Math.floor(value / 128))];
}

function cutShort({ path, size }: ByteSource, at: number, end: number): UserError {
  return new UserError({
    place: path,
    found: `the field at byte ${at} reaches to byte ${end}, but the file has only ${size}: it is no ONNX model, or was cut short`,
    remedy: 'Fetch or export the model again',
  });
}

function broken(path: string, at: number): UserError {
  return new UserError({
    place: path,
    found: `byte ${at} is no field of a protobuf message: it is no ONNX model, or was damaged`,
    allowed: 'an .onnx file',
  });
}
