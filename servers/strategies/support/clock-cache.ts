import type { KeyCache } from './key-cache.js';

/**
 * The CLOCK approximation of least-recently-used: every slot has a bit that a hit sets; the hand clears bits until it finds
 * one that is not set and evicts there. Slots fill in order. Source: Clipper's prediction cache.
 */
export class ClockCache implements KeyCache {
  readonly #keys: string[] = [];
  readonly #bits: (0 | 1)[] = [];
  readonly #slotOf = new Map<string, number>();
  #hand = 0;

  /** `capacity` in entries, 0 keeps nothing; `insertBit` is the bit of a new entry. */
  constructor(
    readonly capacity: number,
    readonly insertBit: 0 | 1 = 1,
  ) {}

  get(key: string): boolean {
    const slot = this.#slotOf.get(key);
    if (slot === undefined) return false;
    this.#bits[slot] = 1;
    return true;
  }

  put(key: string): string | undefined {
    if (this.capacity === 0 || this.#slotOf.has(key)) return undefined;
    if (this.#keys.length < this.capacity) {
      this.#fill(this.#keys.length, key);
      return undefined;
    }
    while (this.#bits[this.#hand] === 1) {
      this.#bits[this.#hand] = 0;
      this.#advance();
    }
    const evicted = this.#keys[this.#hand]!;
    this.#slotOf.delete(evicted);
    this.#fill(this.#hand, key);
    this.#advance();
    return evicted;
  }

  /** `[key, bit]` by slot. */
  entries(): [key: string, bit: 0 | 1][] {
    return this.#keys.map((key, slot) => [key, this.#bits[slot]!]);
  }

  #fill(slot: number, key: string): void {
    this.#keys[slot] = key;
    this.#bits[slot] = this.insertBit;
    this.#slotOf.set(key, slot);
  }

  #advance(): void {
    this.#hand = (this.#hand + 1) % this.capacity;
  }
}
