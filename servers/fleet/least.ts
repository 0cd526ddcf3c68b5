/** Children of a node: their keys fill one cache line. */
const FAN_OUT = 8;
const SHIFT = 3;

/**
 * Ids 0 … n − 1, each with a key, the least first (the lowest id among equals); Infinity = not waiting for anything. A tree of
 * least keys, eight children a node: of ten thousand ids a change looks at five cache lines at most, and stops where no least
 * key changes. Nothing is allocated after the start.
 */
export class LeastKeys {
  /** From the ids' own keys up to the root; a level is as long as it has children, filled up with Infinity. */
  readonly #levels: readonly Float64Array[];
  readonly #keys: Float64Array;

  constructor(capacity: number) {
    const levels: Float64Array[] = [];
    for (let length = Math.max(1, capacity); ; length = Math.ceil(length / FAN_OUT)) {
      levels.push(new Float64Array(length === 1 && levels.length > 0 ? 1 : Math.ceil(length / FAN_OUT) * FAN_OUT));
      if (length === 1 && levels.length > 1) break;
    }
    for (const level of levels) level.fill(Number.POSITIVE_INFINITY);
    this.#levels = levels;
    this.#keys = levels[0]!;
  }

  /** The least key; Infinity where there is none. */
  leastKey(): number {
    return this.#levels[this.#levels.length - 1]![0]!;
  }

  /** The id of the least key; −1 where there is none. */
  leastId(): number {
    const levels = this.#levels;
    const key = this.leastKey();
    if (key === Number.POSITIVE_INFINITY) return -1;
    let at = 0;
    for (let depth = levels.length - 2; depth >= 0; depth--) {
      const level = levels[depth]!;
      at <<= SHIFT;
      while (level[at]! !== key) at++;
    }
    return at;
  }

  keyOf(id: number): number {
    return this.#keys[id]!;
  }

  /** Gives an id a key; with Infinity it waits for nothing any more. */
  set(id: number, key: number): void {
    const levels = this.#levels;
    const top = levels.length - 1;
    let level = this.#keys;
    let at = id;
    let before = level[at]!;
    let next = key;
    level[at] = next;
    for (let depth = 0; depth < top && next !== before; depth++) {
      const above = levels[depth + 1]!;
      const parent = at >> SHIFT;
      const least = above[parent]!;
      if (next > least) {
        if (before > least) return;
        next = leastOf(level, parent << SHIFT);
      }
      before = least;
      above[parent] = next;
      level = above;
      at = parent;
    }
  }
}

function leastOf(level: Float64Array, from: number): number {
  const left = Math.min(level[from]!, level[from + 1]!, level[from + 2]!, level[from + 3]!);
  return Math.min(left, level[from + 4]!, level[from + 5]!, level[from + 6]!, level[from + 7]!);
}
