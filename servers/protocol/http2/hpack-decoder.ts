import type { Field } from './hpack-static.js';
import { HpackTable, sizeOfField } from './hpack-table.js';
import { decodeHuffman } from './huffman.js';
import { ERROR, Http2Error } from './wire.js';

/** What a header block says. The same object comes again for the same bytes, so that what follows from it can be kept. */
export interface HeaderBlock {
  readonly fields: readonly Field[];
  /** The list is longer than allowed: its fields are not here. */
  readonly tooLong: boolean;
}

/** The table size that HPACK begins with. Source: RFC 9113, 6.5.2. */
export const DEFAULT_TABLE_BYTES = 4096;

/**
 * Reads one direction's header blocks. A block that changes nothing in the table, as those of a connection's later requests
 * do, is kept with its bytes: the next that is equal is found by comparing them. Source: RFC 7541.
 */
export class HpackDecoder {
  private readonly table = new HpackTable(DEFAULT_TABLE_BYTES);
  private readonly known: Known[] = [];
  private nextKnown = 0;
  private bytes: Buffer = NOTHING;
  private at = 0;
  private end = 0;

  /** `maxListBytes`: of all fields of a block, as RFC 9113, 6.5.2, counts them. */
  constructor(private readonly maxListBytes: number) {}

  /** Throws Http2Error COMPRESSION_ERROR: after it nothing of the connection can be read. */
  decode(bytes: Buffer, from: number, to: number): HeaderBlock {
    const known = this.recall(bytes, from, to);
    if (known !== undefined) return known;
    this.bytes = bytes;
    this.at = from;
    this.end = to;
    const { version } = this.table;
    const block = this.readBlock();
    this.bytes = NOTHING;
    if (version === this.table.version)
      this.keep({ bytes: Uint8Array.prototype.slice.call(bytes, from, to), version, block });
    return block;
  }

  private recall(bytes: Uint8Array, from: number, to: number): HeaderBlock | undefined {
    for (const known of this.known)
      if (known.version === this.table.version && sameBytes(known.bytes, bytes, from, to)) return known.block;
    return undefined;
  }

  private keep(known: Known): void {
    if (known.bytes.length > KEPT_BYTES) return;
    this.known[this.nextKnown] = known;
    this.nextKnown = (this.nextKnown + 1) % KEPT_BLOCKS;
  }

  private readBlock(): HeaderBlock {
    const fields: Field[] = [];
    let size = 0;
    while (this.at < this.end) {
      const field = this.readField(size === 0);
      if (field === undefined) continue;
      size += sizeOfField(field[0], field[1]);
      if (size <= this.maxListBytes) fields.push(field);
    }
    const tooLong = size > this.maxListBytes;
    return { fields: tooLong ? [] : fields, tooLong };
  }

  /** Undefined for a change of the table's size, which may stand at the beginning only. */
  private readField(beginning: boolean): Field | undefined {
    const byte = this.bytes[this.at]!;
    if (byte >= 0x80) return this.indexed(this.integer(0x7f));
    if (byte >= 0x40) {
      const field = this.literal(0x3f);
      this.table.add(field);
      return field;
    }
    if (byte < 0x20) return this.literal(0x0f);
    if (!beginning) throw broken('a change of the table size behind a field');
    const size = this.integer(0x1f);
    if (size > DEFAULT_TABLE_BYTES)
      throw broken(`the table is to hold ${size} bytes; expected at most ${DEFAULT_TABLE_BYTES}`);
    this.table.resize(size);
    return undefined;
  }

  private literal(mask: number): Field {
    const index = this.integer(mask);
    const name = index === 0 ? this.string() : this.indexed(index)[0];
    return [name, this.string()];
  }

  private indexed(index: number): Field {
    const field = this.table.at(index);
    if (field === undefined) throw broken(`index ${index} is not in the table; expected 1 to ${this.table.end - 1}`);
    return field;
  }

  /** Source: RFC 7541, 5.1. */
  private integer(mask: number): number {
    let value = this.bytes[this.at++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.at >= this.end) throw broken('a number is cut off');
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw broken('a number of more than 28 bits');
  }

  private string(): string {
    if (this.at >= this.end) throw broken('a text is cut off');
    const coded = this.bytes[this.at]! >= 0x80;
    const length = this.integer(0x7f);
    const from = this.at;
    if (length > this.end - from) throw broken(`a text of ${length} bytes is cut off`);
    this.at = from + length;
    if (coded) return decodeHuffman(this.bytes, from, this.at);
    return this.bytes.toString('latin1', from, this.at);
  }
}

interface Known {
  readonly bytes: Uint8Array;
  readonly version: number;
  readonly block: HeaderBlock;
}

const NOTHING = Buffer.alloc(0);
const KEPT_BLOCKS = 8;
const KEPT_BYTES = 256;

function sameBytes(known: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  const { length } = known;
  if (length !== to - from) return false;
  for (let i = 0; i < length; i++) if (known[i] !== bytes[from + i]) return false;
  return true;
}

function broken(found: string): Http2Error {
  return new Http2Error(ERROR.COMPRESSION_ERROR, `malformed header block: ${found}`);
}
