import { DEFAULT_TABLE_BYTES } from './hpack-decoder.js';
import { type Field, STATIC_TABLE } from './hpack-static.js';
import { HpackTable, sizeOfField } from './hpack-table.js';

/**
 * Writes one direction's header blocks. Fields are added to the peer's table, so that the same ones are a byte each from the
 * second time on; those of `once` are not. A list that was encoded without changing the table is kept encoded: lists that
 * are sent often are made once. Texts are not Huffman-coded. Source: RFC 7541.
 */
export class HpackEncoder {
  private readonly table = new HpackTable(DEFAULT_TABLE_BYTES);
  private readonly known = new WeakMap<readonly Field[], Known>();
  /** When a field was added, by name and value; perhaps it has gone since. */
  private readonly places = new Map<string, number>();
  private maxBytes = DEFAULT_TABLE_BYTES;
  /** Table sizes that the peer has not been told of: the smallest on the way, and the last. Source: RFC 7541, 4.2. */
  private untold: number[] = [];
  private out: number[] = [];

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  allow(tableBytes: number): void {
    const size = Math.min(tableBytes, DEFAULT_TABLE_BYTES);
    if (size === this.maxBytes) return;
    const smallest = Math.min(size, ...this.untold);
    this.untold = smallest < size ? [smallest, size] : [size];
    this.maxBytes = size;
    this.table.resize(size);
  }

  /** The block of `fields`, then of `once`. Names are in lower case; texts are latin1. */
  encode(fields: readonly Field[], once: readonly Field[] = NONE): Uint8Array {
    const known = this.known.get(fields);
    if (known?.version === this.table.version && once.length === 0 && this.untold.length === 0) return known.block;
    const { version } = this.table;
    const fresh = this.untold.length > 0 || once.length > 0;
    for (const size of this.untold) this.integer(0x20, 0x1f, size);
    this.untold = [];
    for (const [name, value] of fields) this.field(name, value);
    for (const [name, value] of once) this.literal(0x00, 0x0f, name, value);
    const block = Uint8Array.from(this.out);
    this.out = [];
    if (!fresh && version === this.table.version) this.known.set(fields, { version, block });
    return block;
  }

  private field(name: string, value: string): void {
    const index = this.indexOf(name, value);
    if (index !== undefined) this.integer(0x80, 0x7f, index);
    else if (sizeOfField(name, value) > this.maxBytes) this.literal(0x00, 0x0f, name, value);
    else {
      this.literal(0x40, 0x3f, name, value);
      this.table.add([name, value]);
      this.places.set(keyOf(name, value), this.table.added);
      if (this.places.size > MAX_PLACES) this.forget();
    }
  }

  private indexOf(name: string, value: string): number | undefined {
    const key = keyOf(name, value);
    const fixed = STATIC_INDEX.get(key);
    if (fixed !== undefined) return fixed;
    const place = this.places.get(key);
    if (place === undefined || place <= this.table.evicted) return undefined;
    return STATIC_TABLE.length + 1 + this.table.added - place;
  }

  /** Of fields that are no longer in the table. */
  private forget(): void {
    for (const [key, place] of this.places) if (place <= this.table.evicted) this.places.delete(key);
  }

  private literal(kind: number, mask: number, name: string, value: string): void {
    const index = STATIC_NAMES.get(name) ?? 0;
    this.integer(kind, mask, index);
    if (index === 0) this.string(name);
    this.string(value);
  }

  private integer(kind: number, mask: number, value: number): void {
    if (value < mask) {
      this.out.push(kind | value);
      return;
    }
    this.out.push(kind | mask);
    let rest = value - mask;
    for (; rest >= 0x80; rest >>>= 7) this.out.push((rest & 0x7f) | 0x80);
    this.out.push(rest);
  }

  private string(text: string): void {
    this.integer(0x00, 0x7f, text.length);
    for (let i = 0; i < text.length; i++) this.out.push(text.charCodeAt(i) & 0xff);
  }
}

interface Known {
  readonly version: number;
  readonly block: Uint8Array;
}

const NONE: readonly Field[] = [];
const MAX_PLACES = 512;

const keyOf = (name: string, value: string): string => `${name}\0${value}`;
const STATIC_INDEX = new Map(STATIC_TABLE.map(([name, value], i) => [keyOf(name, value), i + 1]));
/** The first entry of each name. */
const STATIC_NAMES = new Map(STATIC_TABLE.map(([name], i) => [name, i + 1] as const).reverse());
