import { duration } from '../../../results/units.js';
import type { Execute, Nanos, Strategy, StrategyRequest } from '../contract.js';
import { Fifo } from './fifo.js';
import { IdleInstances } from './idle.js';
import { count, positive } from './options.js';

/** Options that Clipper's adaptive strategies share. */
export const replicaCapsShape = {
  slo: duration(),
  initialBatchSize: positive().default(1),
  additive: positive().default(1),
  batchWait: duration().default(0),
  maxQueueSize: count().default(0),
};

export interface ReplicaCapsOptions {
  readonly initialBatchSize: number;
  readonly batchWait: Nanos;
  readonly maxQueueSize: number;
  /** 0 = no limit. */
  readonly maxBatchSize: number;
}

/** What a replica's execution showed. */
export interface Observation {
  /** The cap it ran under. */
  readonly cap: number;
  readonly rows: number;
  /** Integer ns. */
  readonly latency: Nanos;
  /** The batch had no room for the request behind it, or reached the cap. */
  readonly full: boolean;
}

/** The rule by which one replica finds its cap; it may remember. Any whole number: it is then held to 1 … maxBatchSize. */
export type CapRule = (observation: Observation) => number;

interface Replica {
  cap: number;
  readonly rule: CapRule;
  start: Nanos;
  full: boolean;
}

/**
 * One queue, and a cap on the batch for each replica that adapts to what that replica's executions show. An execution that
 * failed shows nothing. Source: Clipper, adaptive and delayed batching.
 */
export class ReplicaCaps implements Strategy {
  readonly #queue = new Fifo<StrategyRequest>();
  #queuedRows = 0;
  readonly #idle: IdleInstances;
  readonly #replicas: readonly Replica[];
  readonly #maxBatchSize: number;
  readonly #maxQueueSize: number;
  readonly #batchWait: Nanos;

  constructor(options: ReplicaCapsOptions, instances: number, ruleOf: () => CapRule) {
    this.#maxBatchSize = options.maxBatchSize || Number.POSITIVE_INFINITY;
    this.#maxQueueSize = options.maxQueueSize || Number.POSITIVE_INFINITY;
    this.#batchWait = options.batchWait;
    this.#idle = new IdleInstances(instances);
    const cap = Math.min(options.initialBatchSize, this.#maxBatchSize);
    this.#replicas = Array.from({ length: instances }, () => ({ cap, rule: ruleOf(), start: 0, full: false }));
  }

  offer(request: StrategyRequest): string | undefined {
    if (this.#queue.length >= this.#maxQueueSize) return 'queue-full';
    this.#queue.push(request);
    this.#queuedRows += request.rows;
    return undefined;
  }

  finished({ instance, rows }: Execute, now: Nanos, ok = true): void {
    this.#idle.release(instance);
    if (!ok) return;
    const replica = this.#replicas[instance]!;
    const { cap, rule, start, full } = replica;
    replica.cap = Math.max(
      1,
      Math.min(this.#maxBatchSize, rule({ cap, rows, latency: Math.round(now - start), full })),
    );
  }

  poll(now: Nanos): Execute | undefined {
    const head = this.#queue.peek();
    if (head === undefined || this.#idle.count === 0) return undefined;
    const waits = this.#batchWait > 0 && now < head.at + this.#batchWait;
    for (let instance = 0; instance < this.#replicas.length; instance++) {
      if (!this.#idle.has(instance)) continue;
      // The head is always taken, so a batch is full exactly if the whole queue reaches the cap.
      const full = this.#queuedRows >= this.#replicas[instance]!.cap;
      if (full || !waits) return this.#execute(instance, full, now);
    }
    return undefined;
  }

  wakeAt(): Nanos | undefined {
    const head = this.#queue.peek();
    return head !== undefined && this.#idle.count > 0 ? head.at + this.#batchWait : undefined;
  }

  cancel(request: StrategyRequest): boolean {
    const dropped = this.#queue.remove(request);
    if (dropped) this.#queuedRows -= request.rows;
    return dropped;
  }

  waiting(): number {
    return this.#queue.length;
  }

  #execute(instance: number, full: boolean, now: Nanos): Execute {
    const replica = this.#replicas[instance]!;
    replica.start = now;
    replica.full = full;
    this.#idle.take(instance);
    const requests = [this.#queue.shift()!];
    let rows = requests[0]!.rows;
    for (
      let next = this.#queue.peek();
      next !== undefined && rows + next.rows <= replica.cap;
      next = this.#queue.peek()
    ) {
      requests.push(next);
      rows += next.rows;
      this.#queue.shift();
    }
    this.#queuedRows -= rows;
    return { kind: 'execute', instance, requests, rows };
  }
}
