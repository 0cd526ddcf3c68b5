import type { Execute, Nanos } from '../strategies/index.js';

/**
 * The executions under way, at most one an instance, as a binary heap: the earliest end first, the lowest instance id among
 * equals. State lies in flat arrays by instance, so that an execution allocates nothing here.
 */
export class ExecutionEnds {
  /** Instances that are busy, in heap order. */
  readonly #heap: Int32Array;
  #size = 0;
  readonly #ends: Float64Array;
  readonly #starts: Float64Array;
  readonly #executions: (Execute | undefined)[];

  constructor(instances: number) {
    this.#heap = new Int32Array(instances);
    this.#ends = new Float64Array(instances).fill(Number.POSITIVE_INFINITY);
    this.#starts = new Float64Array(instances);
    this.#executions = new Array<Execute | undefined>(instances).fill(undefined);
  }

  get size(): number {
    return this.#size;
  }

  /** The earliest planned end; Infinity where nothing runs. */
  next(): Nanos {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#ends[this.#heap[0]!]!;
  }

  /** The instance of the earliest end. */
  nextInstance(): number {
    return this.#heap[0]!;
  }

  execution(instance: number): Execute | undefined {
    return this.#executions[instance];
  }

  startOf(instance: number): Nanos {
    return this.#starts[instance]!;
  }

  endOf(instance: number): Nanos {
    return this.#ends[instance]!;
  }

  add(execution: Execute, start: Nanos, end: Nanos): void {
    const instance = execution.instance;
    this.#executions[instance] = execution;
    this.#starts[instance] = start;
    this.#ends[instance] = end;
    this.#heap[this.#size] = instance;
    this.#up(this.#size++);
  }

  /** Forget what runs on the instance. */
  remove(instance: number): void {
    const hole = this.#heap.subarray(0, this.#size).indexOf(instance);
    const last = this.#heap[--this.#size]!;
    this.#executions[instance] = undefined;
    if (hole === this.#size) return;
    this.#heap[hole] = last;
    this.#up(hole);
    this.#down(hole);
  }

  /** Forget the earliest. */
  removeNext(): void {
    this.#executions[this.#heap[0]!] = undefined;
    this.#heap[0] = this.#heap[--this.#size]!;
    this.#down(0);
  }

  #before(a: number, b: number): boolean {
    const difference = this.#ends[a]! - this.#ends[b]!;
    return difference < 0 || (difference === 0 && a < b);
  }

  #up(from: number): void {
    const heap = this.#heap;
    for (let i = from; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!this.#before(heap[i]!, heap[parent]!)) return;
      this.#swap(i, parent);
      i = parent;
    }
  }

  #down(from: number): void {
    const heap = this.#heap;
    for (let i = from; ; ) {
      let least = i;
      for (let child = 2 * i + 1; child <= 2 * i + 2 && child < this.#size; child++)
        if (this.#before(heap[child]!, heap[least]!)) least = child;
      if (least === i) return;
      this.#swap(i, least);
      i = least;
    }
  }

  #swap(i: number, j: number): void {
    const held = this.#heap[i]!;
    this.#heap[i] = this.#heap[j]!;
    this.#heap[j] = held;
  }
}
