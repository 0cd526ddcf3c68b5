import { WIRE } from './proto-reader.js';

/** A message below this many bytes is cheaper copied into one piece than handed on in several. */
const JOIN_BELOW = 16 * 1024;

/**
 * Writes protobuf fields into a scratch buffer that grows and is used again for the next message. Only what is small
 * goes here; raw tensors are copied once, behind it (`finish`), or not at all (`frame`).
 */
export class ProtoWriter {
  private buffer = Buffer.allocUnsafeSlow(4096);
  private at = 0;

  reset(): this {
    this.at = 0;
    return this;
  }

  /** A string field; the empty string is proto3's default and is not written, except in a oneof (`always`). */
  string(field: number, text: string | undefined, always = false): void {
    if (text === undefined || (text === '' && !always)) return;
    const mark = this.begin(field);
    this.reserve(text.length * 3);
    this.at += this.buffer.write(text, this.at, 'utf8');
    this.close(mark);
  }

  /** A varint field: bool, int32, int64, uint64. Negative numbers take ten bytes, as the encoding says. */
  integer(field: number, value: number | bigint): void {
    this.tag(field, WIRE.varint);
    this.varint(value);
  }

  double(field: number, value: number): void {
    this.tag(field, WIRE.fixed64);
    this.reserve(8);
    this.at = this.buffer.writeDoubleLE(value, this.at);
  }

  /** A packed repeated integer field. */
  integers(field: number, values: readonly number[]): void {
    if (values.length === 0) return;
    const mark = this.begin(field);
    for (const value of values) this.varint(value);
    this.close(mark);
  }

  /** Opens a length-delimited field; hand what it returns to `close`. */
  begin(field: number): number {
    this.tag(field, WIRE.bytes);
    this.reserve(1);
    return this.at++;
  }

  /** Sets the length of what `begin` opened. One byte was reserved for it; a longer one moves the content. */
  close(mark: number): void {
    const length = this.at - mark - 1;
    const extra = sizeOfVarint(length) - 1;
    if (extra > 0) {
      this.reserve(extra);
      this.buffer.copyWithin(mark + 1 + extra, mark + 1, this.at);
    }
    const end = this.at + extra;
    this.at = mark;
    this.varint(length);
    this.at = end;
  }

  /** One buffer with what was written and, behind it, each of `contents` as a bytes field: the only copy of a tensor. */
  finish(field: number, contents: readonly Uint8Array[]): Buffer {
    return this.joined(0, this.sizeWith(contents), field, contents);
  }

  /**
   * The same as one frame of gRPC: a prefix of five bytes (not compressed, the message's length), then the message. Contents
   * of a long message are chunks of their own, not copied.
   */
  frame(field: number, contents: readonly Uint8Array[]): readonly Uint8Array[] {
    const size = this.sizeWith(contents);
    if (size > MAX_MESSAGE) throw new RangeError(`a gRPC message has at most 4 GiB; found ${size} bytes`);
    if (size < JOIN_BELOW || contents.length === 0) {
      const whole = this.joined(PREFIX, size, field, contents);
      writePrefix(whole, size);
      return [whole];
    }
    const chunks: Uint8Array[] = [];
    for (const [i, content] of contents.entries()) {
      const before = i === 0 ? PREFIX + this.at : 0;
      const head = Buffer.allocUnsafe(before + 1 + sizeOfVarint(content.length));
      if (i === 0) {
        writePrefix(head, size);
        this.buffer.copy(head, PREFIX, 0, this.at);
      }
      writeHead(head, before, field, content.length);
      chunks.push(head, content);
    }
    return chunks;
  }

  private sizeWith(contents: readonly Uint8Array[]): number {
    let size = this.at;
    for (const content of contents) size += 1 + sizeOfVarint(content.length) + content.length;
    return size;
  }

  /** `before` bytes left free, what was written, then the contents. */
  private joined(before: number, size: number, field: number, contents: readonly Uint8Array[]): Buffer {
    const message = Buffer.allocUnsafe(before + size);
    this.buffer.copy(message, before, 0, this.at);
    let at = before + this.at;
    for (const content of contents) {
      at = writeHead(message, at, field, content.length);
      message.set(content, at);
      at += content.length;
    }
    return message;
  }

  private tag(field: number, wire: number): void {
    this.varint((field << 3) | wire);
  }

  private varint(value: number | bigint): void {
    this.reserve(10);
    if (typeof value === 'bigint' || value < 0 || value > 0x7fffffff)
      this.longVarint(BigInt.asUintN(64, BigInt(value)));
    else this.shortVarint(value);
  }

  private shortVarint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) this.buffer[this.at++] = (rest & 0x7f) | 0x80;
    this.buffer[this.at++] = rest;
  }

  private longVarint(value: bigint): void {
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) this.buffer[this.at++] = Number(rest & 0x7fn) | 0x80;
    this.buffer[this.at++] = Number(rest);
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }
}

/** Bytes before a message in gRPC's framing. Source: gRPC over HTTP2, "Length-Prefixed-Message". */
const PREFIX = 5;
const MAX_MESSAGE = 0xffffffff;

function writePrefix(frame: Buffer, size: number): void {
  frame[0] = 0;
  frame.writeUInt32BE(size, 1);
}

/** Tag and length of a bytes field; returns where its content begins. */
function writeHead(message: Buffer, from: number, field: number, length: number): number {
  let at = from;
  message[at++] = (field << 3) | WIRE.bytes;
  let rest = length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) message[at++] = (rest % 128) | 0x80;
  message[at++] = rest;
  return at;
}

function sizeOfVarint(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}
