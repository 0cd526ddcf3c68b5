/** Blocks of a request, or none where the pool is too small for it. */
export interface Allocation {
  readonly blocks: readonly number[] | undefined;
  /** Leading blocks that were there already. */
  readonly hits: number;
}

/**
 * A pool of KV blocks in which full blocks stay known by what they hold, so that prompts with the same beginning share them.
 * Free blocks are reused oldest first and keep their content until then. Source: vLLM's automatic prefix caching.
 */
export class PrefixCache {
  /** In order of reuse. */
  readonly #free: Set<number>;
  readonly #blockOf = new Map<string, number>();
  /** By cached block. Several where `append` names a block that is cached already. */
  readonly #keysOf = new Map<number, string[]>();
  readonly #references: Int32Array;
  readonly #held = new Map<string, number[]>();

  constructor(
    numBlocks: number,
    readonly blockSize: number,
  ) {
    this.#free = new Set(Array(numBlocks).keys());
    this.#references = new Int32Array(numBlocks);
  }

  /** The free queue. */
  get free(): number[] {
    return [...this.#free];
  }

  /** `keys` name the full blocks of the prompt; a key stands for its block and all before it. */
  allocate(request: string, tokens: number, keys: readonly string[]): Allocation {
    const cached = this.#leading(keys);
    const hits = cached.length;
    const wanted = Math.max(0, Math.ceil(tokens / this.blockSize) - hits);
    if (wanted > this.#free.size - cached.filter((block) => this.#free.has(block)).length)
      return { blocks: undefined, hits };
    for (const block of cached) this.#free.delete(block);
    const blocks = [...cached, ...Array.from({ length: wanted }, () => this.#take())];
    for (const block of blocks) this.#references[block]!++;
    for (let i = hits; i < keys.length; i++) this.#know(blocks[i], keys[i]!);
    this.#held.set(request, blocks);
    return { blocks: blocks.slice(), hits };
  }

  /** The last block is full, under this key if it has one, and one more is taken; undefined where none is free. */
  append(request: string, key?: string): readonly number[] | undefined {
    const blocks = this.#held.get(request) ?? [];
    if (this.#free.size === 0) return undefined;
    if (key !== undefined) this.#know(blocks.at(-1), key);
    const block = this.#take();
    this.#references[block]!++;
    blocks.push(block);
    this.#held.set(request, blocks);
    return blocks.slice();
  }

  /** The last block becomes reusable first: the beginning of a prompt is what others share. */
  release(request: string): void {
    for (const block of (this.#held.get(request) ?? []).toReversed())
      if (--this.#references[block]! === 0) this.#free.add(block);
    this.#held.delete(request);
  }

  holds(request: string): boolean {
    return this.#held.has(request);
  }

  #leading(keys: readonly string[]): number[] {
    const blocks: number[] = [];
    for (const key of keys) {
      const block = this.#blockOf.get(key);
      if (block === undefined) break;
      blocks.push(block);
    }
    return blocks;
  }

  /** The first free block; what it held is forgotten. */
  #take(): number {
    const block = this.#free.values().next().value!;
    this.#free.delete(block);
    for (const key of this.#keysOf.get(block) ?? []) this.#blockOf.delete(key);
    this.#keysOf.delete(block);
    return block;
  }

  #know(block: number | undefined, key: string): void {
    if (block === undefined || this.#blockOf.has(key)) return;
    this.#blockOf.set(key, block);
    const keys = this.#keysOf.get(block);
    if (keys === undefined) this.#keysOf.set(block, [key]);
    else keys.push(key);
  }
}
