import type { KeyCache } from './key-cache.js';

/** Evicts the key that was read or written longest ago. Source: Triton's response cache. */
export class LruCache implements KeyCache {
  /** From least to most recent: a Set iterates in order of insertion. */
  readonly #keys = new Set<string>();

  /** `capacity` in entries, 0 keeps nothing. */
  constructor(readonly capacity: number) {}

  get(key: string): boolean {
    if (!this.#keys.delete(key)) return false;
    this.#keys.add(key);
    return true;
  }

  put(key: string): string | undefined {
    if (this.capacity === 0 || this.get(key)) return undefined;
    const evicted = this.#keys.size < this.capacity ? undefined : this.#leastRecent();
    if (evicted !== undefined) this.#keys.delete(evicted);
    this.#keys.add(key);
    return evicted;
  }

  /** `[key]`, least recent first. */
  entries(): [key: string][] {
    return Array.from(this.#keys, (key) => [key]);
  }

  #leastRecent(): string | undefined {
    return this.#keys.values().next().value;
  }
}
