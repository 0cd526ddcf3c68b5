import { invalid } from './tensors.js';

/** Wire types of protobuf's encoding. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

/**
 * Reads protobuf fields out of a part of a buffer. Lengths are checked before anything is touched; what breaks the
 * encoding throws INVALID_ARGUMENT, never a RangeError. Source: protobuf.dev, "Encoding".
 */
export class ProtoReader {
  /** Field number and wire type of the tag read last. */
  field = 0;
  wire = 0;
  private low = 0;
  private high = 0;

  constructor(
    readonly buffer: Buffer,
    private at = 0,
    private end = buffer.length,
  ) {}

  /** Reads the next tag; false at the end of the message. */
  next(): boolean {
    if (this.at >= this.end) return false;
    this.varint();
    if (this.high !== 0) throw malformed(`a tag beyond 32 bits at byte ${this.at}`);
    this.field = this.low >>> 3;
    this.wire = this.low & 7;
    if (this.field === 0) throw malformed(`field number 0 at byte ${this.at}`);
    return true;
  }

  /** True at the end of the message; inside a packed field, whose elements have no tags. */
  get done(): boolean {
    return this.at >= this.end;
  }

  /** True where the field at hand has that wire type; otherwise the caller skips it, as an unknown field. */
  is(wire: number): boolean {
    return this.wire === wire;
  }

  unsigned(): number {
    this.varint();
    return this.high * 0x100000000 + this.low;
  }

  /** int64 (or int32) as a number: exact within ±2^53. */
  signed(): number {
    this.varint();
    return (this.high | 0) * 0x100000000 + this.low;
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  /** int64 as a number where that is exact, which spares making a bigint; otherwise the bigint. */
  shortInt64(): number | bigint {
    const value = this.signed();
    if (Number.isSafeInteger(value)) return value;
    return BigInt.asIntN(64, (BigInt(this.high) << 32n) | BigInt(this.low));
  }

  uint64(): bigint {
    this.varint();
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  bool(): boolean {
    this.varint();
    return this.low !== 0 || this.high !== 0;
  }

  double(): number {
    return this.buffer.readDoubleLE(this.advance(8));
  }

  string(): string {
    const length = this.unsigned();
    const from = this.advance(length);
    return this.buffer.toString('utf8', from, from + length);
  }

  /** A view of the next length-delimited content. */
  bytes(): Buffer {
    const length = this.unsigned();
    const from = this.advance(length);
    return this.buffer.subarray(from, from + length);
  }

  /** A view of the next `size` bytes (fixed32 and fixed64 elements). */
  fixed(size: number): Buffer {
    const from = this.advance(size);
    return this.buffer.subarray(from, from + size);
  }

  /** A reader of the message at hand, which this one steps over. */
  message(): ProtoReader {
    const length = this.unsigned();
    const from = this.advance(length);
    return new ProtoReader(this.buffer, from, from + length);
  }

  /** Steps over a field that is not known, groups included. */
  skip(depth = 0): void {
    if (this.wire === WIRE.varint) this.varint();
    else if (this.wire === WIRE.fixed64) this.advance(8);
    else if (this.wire === WIRE.bytes) this.advance(this.unsigned());
    else if (this.wire === WIRE.fixed32) this.advance(4);
    else if (this.wire === WIRE.startGroup && depth < 100) this.skipGroup(depth);
    else throw malformed(`wire type ${this.wire} of field ${this.field} at byte ${this.at}`);
  }

  private skipGroup(depth: number): void {
    const group = this.field;
    while (this.next()) {
      if (this.wire === WIRE.endGroup && this.field === group) return;
      this.skip(depth + 1);
    }
    throw malformed(`group ${group} does not end`);
  }

  /** Leaves the 64 bits in `low` and `high`, both unsigned. */
  private varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) throw malformed(`a number is cut off at byte ${this.at}`);
      const byte = this.buffer[this.at++]!;
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift === 28) high = bits >> 4;
      else if (shift > 28) high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw malformed(`a number has more than ten bytes at byte ${this.at}`);
  }

  /** Steps over `length` bytes and returns where they begin. */
  private advance(length: number): number {
    const from = this.at;
    if (length > this.end - from)
      throw malformed(`${length} bytes announced at byte ${from}, ${this.end - from} there (truncated?)`);
    this.at = from + length;
    return from;
  }
}

function malformed(found: string) {
  return invalid(`malformed protobuf message: ${found}`);
}
