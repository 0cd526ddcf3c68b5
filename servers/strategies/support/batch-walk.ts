import type { Nanos } from '../contract.js';
import type { PriorityQueue, QueueEntry } from './priority-queue.js';

export interface BatchSizes {
  readonly maxBatchSize: number;
  /** Empty: [maxBatchSize]. */
  readonly preferredBatchSize: readonly number[];
  readonly maxQueueDelay: Nanos;
}

/** Send so many requests from the front of the queue, with so many rows; or none, and look again at `waitUntil`. */
export interface BatchDecision {
  send: number;
  rows: number;
  waitUntil: Nanos | undefined;
}

/**
 * Forms the next batch: walks the queue, marks where a preferred size is reached, and decides what leaves now.
 * The pending entries are always the front of the queue's order, so counts stand for them.
 */
export class BatchWalk {
  readonly #largest: number;
  /** By rows: 1 = a preferred size. */
  readonly #preferred: Uint8Array;
  #pending = 0;
  #total = 0;
  #shapeKey: string | undefined;
  #oldest: Nanos = 0;
  #earliestExpiry: Nanos = 0;
  #marked = 0;
  #markedRows = 0;
  #sendNow = false;
  readonly #decision: BatchDecision = { send: 0, rows: 0, waitUntil: undefined };
  readonly #look = (entry: QueueEntry): boolean => this.#add(entry);

  constructor(
    readonly queue: PriorityQueue,
    readonly sizes: BatchSizes,
  ) {
    const preferred = sizes.preferredBatchSize.length > 0 ? sizes.preferredBatchSize : [sizes.maxBatchSize];
    this.#largest = Math.max(...preferred);
    this.#preferred = new Uint8Array(sizes.maxBatchSize + 1);
    for (const size of preferred) this.#preferred[size] = 1;
  }

  /** The answer is overwritten by the next call. */
  decide(now: Nanos): Readonly<BatchDecision> {
    this.#pending = this.#total = this.#marked = this.#markedRows = 0;
    this.#oldest = this.#earliestExpiry = Number.POSITIVE_INFINITY;
    this.#sendNow = false;
    this.queue.walk(now, this.#look);
    const { maxQueueDelay } = this.sizes;
    const exceeded = maxQueueDelay > 0 && now - this.#oldest >= maxQueueDelay;
    if (this.#marked > 0 && !exceeded) return this.#answer(this.#marked, this.#markedRows);
    if (this.#pending === 0) return this.#answer(0, 0);
    if (this.#sendNow || this.#total >= this.#largest || exceeded || maxQueueDelay === 0)
      return this.#answer(this.#pending, this.#total);
    return this.#answer(0, 0, Math.min(this.#oldest + maxQueueDelay, this.#earliestExpiry + 1));
  }

  /** Look at the next entry; false ends the walk before it. */
  #add(entry: QueueEntry): boolean {
    const { rows, shapeKey } = entry.request;
    if (this.#pending === 0) this.#shapeKey = shapeKey;
    else if (!this.#fits(rows, shapeKey)) return false;
    this.#pending++;
    this.#total += rows;
    if (entry.enqueuedAt < this.#oldest) this.#oldest = entry.enqueuedAt;
    if (entry.expiry < this.#earliestExpiry) this.#earliestExpiry = entry.expiry;
    if (this.#preferred[this.#total] === 1) this.#mark();
    return true;
  }

  /** Whether the entry may join those pending. Crossing the largest preferred size marks what is pending, once. */
  #fits(rows: number, shapeKey: string | undefined): boolean {
    const total = this.#total + rows;
    if (total > this.#largest && this.#marked === 0) this.#mark();
    this.#sendNow = total > this.sizes.maxBatchSize || shapeKey !== this.#shapeKey;
    return !this.#sendNow;
  }

  #mark(): void {
    this.#marked = this.#pending;
    this.#markedRows = this.#total;
  }

  #answer(send: number, rows: number, waitUntil?: Nanos): BatchDecision {
    this.#decision.send = send;
    this.#decision.rows = rows;
    this.#decision.waitUntil = waitUntil;
    return this.#decision;
  }
}
