import type { Nanos, StrategyRequest } from '../contract.js';

interface Entry {
  readonly deadline: Nanos;
  readonly request: StrategyRequest;
}

/** The longest bucket before it is split in two. */
const BUCKET = 512;

/**
 * Requests by (deadline, order of adding). A sorted list in buckets: adding, taking from the head and removing cost about
 * the same at a thousand and at a million entries.
 */
export class DeadlineQueue {
  /** Sorted, and none is empty. */
  readonly #buckets: Entry[][] = [];
  readonly #deadlineOf: (request: StrategyRequest) => Nanos;
  #length = 0;

  /** `deadlineOf` must answer the same for a request as long as it is queued. */
  constructor(deadlineOf: (request: StrategyRequest) => Nanos) {
    this.#deadlineOf = deadlineOf;
  }

  get length(): number {
    return this.#length;
  }

  /** The earliest deadline; infinite where there is none. */
  get earliest(): Nanos {
    return this.#buckets[0]?.[0]?.deadline ?? Number.POSITIVE_INFINITY;
  }

  add(request: StrategyRequest): void {
    const deadline = this.#deadlineOf(request);
    this.#length++;
    if (this.#buckets.length === 0) {
      this.#buckets.push([{ deadline, request }]);
      return;
    }
    const index = Math.max(0, firstIndex(this.#buckets, (bucket) => bucket[0]!.deadline > deadline) - 1);
    const bucket = this.#buckets[index]!;
    const place = firstIndex(bucket, (entry) => entry.deadline > deadline);
    bucket.splice(place, 0, { deadline, request });
    if (bucket.length > BUCKET) this.#buckets.splice(index + 1, 0, bucket.splice(BUCKET / 2));
  }

  peek(): StrategyRequest | undefined {
    return this.#buckets[0]?.[0]?.request;
  }

  /** Take the head. */
  shift(): StrategyRequest | undefined {
    return this.#length === 0 ? undefined : this.#removeAt(0, 0);
  }

  /** How many have this deadline or a later one. */
  countFrom(deadline: Nanos): number {
    let count = this.#length;
    for (const bucket of this.#buckets) {
      if (bucket.at(-1)!.deadline >= deadline) return count - firstIndex(bucket, (entry) => entry.deadline >= deadline);
      count -= bucket.length;
    }
    return count;
  }

  /** Take the first `count` that have this deadline or a later one; fewer where there are fewer. */
  takeFrom(deadline: Nanos, count: number): StrategyRequest[] {
    const taken: StrategyRequest[] = [];
    let index = firstIndex(this.#buckets, (bucket) => bucket.at(-1)!.deadline >= deadline);
    let from = firstIndex(this.#buckets[index] ?? [], (entry) => entry.deadline >= deadline);
    while (taken.length < count && index < this.#buckets.length) {
      const bucket = this.#buckets[index]!;
      for (const entry of bucket.splice(from, count - taken.length)) taken.push(entry.request);
      if (bucket.length === 0) this.#buckets.splice(index, 1);
      else index++;
      from = 0;
    }
    this.#length -= taken.length;
    return taken;
  }

  /** Drop this very object; false where it is not queued. */
  remove(request: StrategyRequest): boolean {
    const deadline = this.#deadlineOf(request);
    for (
      let b = firstIndex(this.#buckets, (bucket) => bucket.at(-1)!.deadline >= deadline);
      b < this.#buckets.length && this.#buckets[b]![0]!.deadline <= deadline;
      b++
    ) {
      const place = this.#buckets[b]!.findIndex((entry) => entry.request === request);
      if (place < 0) continue;
      this.#removeAt(b, place);
      return true;
    }
    return false;
  }

  /** From the head on. The queue must not be changed meanwhile. */
  *[Symbol.iterator](): Iterator<StrategyRequest> {
    for (const bucket of this.#buckets) for (const entry of bucket) yield entry.request;
  }

  #removeAt(index: number, place: number): StrategyRequest {
    const bucket = this.#buckets[index]!;
    const entry = place === 0 ? bucket.shift()! : bucket.splice(place, 1)[0]!;
    if (bucket.length === 0) this.#buckets.splice(index, 1);
    this.#length--;
    return entry.request;
  }
}

/** The first index at which a test that is false and then true becomes true; the length where it never does. */
function firstIndex<T>(sorted: readonly T[], test: (item: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(sorted[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The deadline of a request: its own, else `slo` after it was offered, else (`slo` 0) none. */
export function deadlineBy(slo: Nanos): (request: StrategyRequest) => Nanos {
  return ({ deadlineNs, at }) => deadlineNs ?? (slo > 0 ? at + slo : Number.POSITIVE_INFINITY);
}
