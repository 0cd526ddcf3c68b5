/**
 * A first-in-first-out list on a ring: push and shift cost the same at any length and leave nothing to the collector.
 * Indices count from the head. Removal from the middle moves the shorter side.
 */
export class Fifo<T> implements Iterable<T> {
  #ring: (T | undefined)[] = new Array<T | undefined>(16).fill(undefined);
  /** Length of the ring − 1; the length is a power of two. */
  #mask = 15;
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#length > this.#mask) this.#grow();
    this.#ring[(this.#head + this.#length) & this.#mask] = item;
    this.#length++;
  }

  /** Put it before the head. */
  unshift(item: T): void {
    if (this.#length > this.#mask) this.#grow();
    this.#head = (this.#head - 1) & this.#mask;
    this.#ring[this.#head] = item;
    this.#length++;
  }

  /** Take the head. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.#length--;
    return item;
  }

  /** Look at the head. */
  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head];
  }

  at(index: number): T | undefined {
    return index < this.#length ? this.#ring[(this.#head + index) & this.#mask] : undefined;
  }

  /** Drop this very object; false where it is not in the list. */
  remove(item: T): boolean {
    const index = this.indexOf(item);
    if (index < 0) return false;
    this.removeAt(index);
    return true;
  }

  /** Take what is at the index, which must be below the length. */
  removeAt(index: number): T {
    const ring = this.#ring;
    const mask = this.#mask;
    const item = ring[(this.#head + index) & mask] as T;
    if (index < this.#length >> 1) {
      for (let i = index; i > 0; i--) ring[(this.#head + i) & mask] = ring[(this.#head + i - 1) & mask];
      ring[this.#head] = undefined;
      this.#head = (this.#head + 1) & mask;
    } else {
      for (let i = index; i < this.#length - 1; i++) ring[(this.#head + i) & mask] = ring[(this.#head + i + 1) & mask];
      ring[(this.#head + this.#length - 1) & mask] = undefined;
    }
    this.#length--;
    return item;
  }

  /** Put it so that it has the index, 0 … length. */
  insertAt(index: number, item: T): void {
    this.push(item);
    for (let i = this.#length - 1; i > index; i--)
      this.#ring[(this.#head + i) & this.#mask] = this.#ring[(this.#head + i - 1) & this.#mask];
    this.#ring[(this.#head + index) & this.#mask] = item;
  }

  /** Index of this very object, or −1. */
  indexOf(item: T): number {
    for (let i = 0; i < this.#length; i++) if (this.#ring[(this.#head + i) & this.#mask] === item) return i;
    return -1;
  }

  /** The first index from the head whose item fits, or −1. */
  findIndex(fits: (item: T) => boolean): number {
    for (let i = 0; i < this.#length; i++) if (fits(this.#ring[(this.#head + i) & this.#mask] as T)) return i;
    return -1;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.#length; i++) yield this.#ring[(this.#head + i) & this.#mask] as T;
  }

  #grow(): void {
    const ring = new Array<T | undefined>(2 * (this.#mask + 1)).fill(undefined);
    for (let i = 0; i < this.#length; i++) ring[i] = this.#ring[(this.#head + i) & this.#mask];
    this.#ring = ring;
    this.#mask = ring.length - 1;
    this.#head = 0;
  }
}
