/**
 * Ids 0 … n − 1, each with a key, the least first (the lowest id among equals); Infinity = not waiting for anything. A key
 * changes in O(log n); nothing is allocated after the start.
 */
export class IndexedHeap {
  #keys: Float64Array;
  /** Ids in heap order, and where each id stands. */
  #heap: Int32Array;
  #places: Int32Array;
  #size = 0;

  constructor(capacity: number) {
    this.#keys = new Float64Array(capacity).fill(Number.POSITIVE_INFINITY);
    this.#heap = new Int32Array(capacity);
    this.#places = new Int32Array(capacity).fill(-1);
  }

  get size(): number {
    return this.#size;
  }

  /** The least key; Infinity where there is none. */
  leastKey(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#keys[this.#heap[0]!]!;
  }

  /** The key that would be least without the least one. */
  secondKey(): number {
    const left = this.#size > 1 ? this.#keys[this.#heap[1]!]! : Number.POSITIVE_INFINITY;
    const right = this.#size > 2 ? this.#keys[this.#heap[2]!]! : Number.POSITIVE_INFINITY;
    return left < right ? left : right;
  }

  /** The id of the least key. */
  leastId(): number {
    return this.#heap[0]!;
  }

  keyOf(id: number): number {
    return this.#keys[id]!;
  }

  /** Gives an id a key; it joins, moves or, with Infinity, leaves. */
  set(id: number, key: number): void {
    const place = this.#places[id]!;
    const before = this.#keys[id]!;
    if (key === before) return;
    this.#keys[id] = key;
    if (key === Number.POSITIVE_INFINITY) {
      if (place >= 0) this.#remove(place);
    } else if (place < 0) {
      this.#heap[this.#size] = id;
      this.#up(this.#size++, id);
    } else if (key < before) this.#up(place, id);
    else this.#down(place, id);
  }

  #remove(place: number): void {
    this.#places[this.#heap[place]!] = -1;
    const last = this.#heap[--this.#size]!;
    if (place === this.#size) return;
    this.#up(place, last);
    if (this.#heap[place] === last) this.#down(place, last);
  }

  #up(from: number, id: number): void {
    const [heap, places, keys] = [this.#heap, this.#places, this.#keys];
    const key = keys[id]!;
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent]!;
      const difference = key - keys[above]!;
      if (difference > 0 || (difference === 0 && id > above)) break;
      heap[place] = above;
      places[above] = place;
      place = parent;
    }
    heap[place] = id;
    places[id] = place;
  }

  #down(from: number, id: number): void {
    const [heap, places, keys, size] = [this.#heap, this.#places, this.#keys, this.#size];
    const key = keys[id]!;
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= size) break;
      let below = heap[child]!;
      if (child + 1 < size) {
        const right = heap[child + 1]!;
        const difference = keys[right]! - keys[below]!;
        if (difference < 0 || (difference === 0 && right < below)) {
          below = right;
          child++;
        }
      }
      const difference = keys[below]! - key;
      if (difference > 0 || (difference === 0 && below > id)) break;
      heap[place] = below;
      places[below] = place;
      place = child;
    }
    heap[place] = id;
    places[id] = place;
  }
}
