import { type Field, STATIC_TABLE } from './hpack-static.js';

/** What a field counts beside its text. Source: RFC 7541, 4.1. */
const OVERHEAD = 32;

/** The size of a field in a table or a list of headers. */
export function sizeOfField(name: string, value: string): number {
  return name.length + value.length + OVERHEAD;
}

/**
 * One direction's fields by index: the static ones, then those that its blocks have added, the newest first. Source:
 * RFC 7541, 2.3.
 */
export class HpackTable {
  /** Counts all changes: what has been worked out from the table holds as long as this stays. */
  version = 0;
  /** The oldest first. */
  private entries: Field[] = [];
  /** Index of the oldest that is still there. */
  private first = 0;
  private bytes = 0;

  constructor(private maxBytes: number) {}

  /** Index of the next field that would be beyond the table. */
  get end(): number {
    return STATIC_TABLE.length + 1 + this.entries.length - this.first;
  }

  /** Fields added so far, evicted ones included; the number of the newest. */
  get added(): number {
    return this.evicted + this.entries.length - this.first;
  }

  /** Fields that had to go. */
  evicted = 0;

  /** Undefined for what is not there. */
  at(index: number): Field | undefined {
    if (index <= STATIC_TABLE.length) return STATIC_TABLE[index - 1];
    const place = this.entries.length - (index - STATIC_TABLE.length);
    return place < this.first ? undefined : this.entries[place];
  }

  /** A field that is larger than the table empties it. */
  add(field: Field): void {
    this.version++;
    const size = sizeOfField(field[0], field[1]);
    this.evictTo(this.maxBytes - size);
    if (size > this.maxBytes) return;
    this.entries.push(field);
    this.bytes += size;
  }

  resize(maxBytes: number): void {
    this.version++;
    this.maxBytes = maxBytes;
    this.evictTo(maxBytes);
  }

  private evictTo(bytes: number): void {
    while (this.bytes > bytes && this.first < this.entries.length) {
      const [name, value] = this.entries[this.first++]!;
      this.bytes -= sizeOfField(name, value);
      this.evicted++;
    }
    if (this.first < COMPACT_AT) return;
    this.entries = this.entries.slice(this.first);
    this.first = 0;
  }
}

const COMPACT_AT = 64;
