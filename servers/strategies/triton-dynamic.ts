import {
  type Action,
  defineStrategy,
  type Execute,
  type Nanos,
  type Strategy,
  type StrategyRequest,
} from './contract.js';
import { BatchWalk } from './support/batch-walk.js';
import { Fifo } from './support/fifo.js';
import { IdleInstances } from './support/idle.js';
import { PriorityQueue } from './support/priority-queue.js';
import { ResponseOrder } from './support/response-order.js';
import { policiesOf, type TritonOptions, tritonOptions } from './support/triton-options.js';

/**
 * Dynamic batching with preferred sizes, delay, priorities and queue policies. A batch is formed only for an idle instance
 * (no prefetch). Source: Triton core, dynamic batch scheduler and its priority queue.
 */
export const tritonDynamic = defineStrategy({
  name: 'triton-dynamic',
  summary: 'Batches of what waits, of preferred sizes, after at most a delay; priorities and timeouts',
  source: 'Triton core, dynamic batch scheduler and priority queue',
  differs: [
    'No prefetch and no merging of payloads at dequeue: a batch is formed only for an idle instance, so that what is simulated is what is served.',
    'Expiry is strict, so a wake for it comes one nanosecond after it.',
    'The sweep that rejects expired requests while every instance is busy (500 ms in the code) is an option.',
  ],
  originals: {
    maxBatchSize: 'max_batch_size',
    preferredBatchSize: 'preferred_batch_size',
    maxQueueDelay: 'max_queue_delay_microseconds',
    preserveOrdering: 'preserve_ordering',
    priorityLevels: 'priority_levels',
    defaultPriorityLevel: 'default_priority_level',
    defaultQueuePolicy: 'default_queue_policy',
    priorityQueuePolicy: 'priority_queue_policy',
    'defaultQueuePolicy.timeoutAction': 'timeout_action',
    'defaultQueuePolicy.defaultTimeout': 'default_timeout_microseconds',
    'defaultQueuePolicy.allowTimeoutOverride': 'allow_timeout_override',
    'defaultQueuePolicy.maxQueueSize': 'max_queue_size',
  },
  options: tritonOptions,
  examples: [
    { maxBatchSize: 8 },
    { maxBatchSize: 8, preferredBatchSize: [4], maxQueueDelay: '2ms', preserveOrdering: true },
    {
      maxBatchSize: 4,
      maxQueueDelay: '1ms',
      priorityLevels: 2,
      defaultPriorityLevel: 2,
      defaultQueuePolicy: { timeoutAction: 'delay', defaultTimeout: '5ms', allowTimeoutOverride: true },
      priorityQueuePolicy: { '1': { defaultTimeout: '3ms', maxQueueSize: 6 } },
      expirySweep: '2ms',
    },
  ],
  workConserving: ({ maxQueueDelay }) => maxQueueDelay === 0,
  executesOnce: true,
  maxRows: ({ maxBatchSize }) => maxBatchSize,
  create: (given, { instances }) => new TritonDynamic(given, instances.length),
});

class TritonDynamic implements Strategy {
  readonly #queue: PriorityQueue;
  readonly #walk: BatchWalk;
  readonly #idle: IdleInstances;
  readonly #order: ResponseOrder | undefined;
  /** Actions that `poll` has still to return. */
  readonly #outbox = new Fifo<Action>();
  /** Something happened since the queue was last walked at `#polledAt`. */
  #changed = true;
  #polledAt: Nanos = -1;
  /** When a batch that is being held back has to be looked at again. */
  #delayEnd: Nanos | undefined;
  /** The wait for an instance under way: when it began, and when it is swept next. */
  #waitBegin: Nanos | undefined;
  #nextSweep: Nanos = 0;

  constructor(
    readonly options: TritonOptions,
    instances: number,
  ) {
    this.#queue = new PriorityQueue(policiesOf(options), (request) =>
      this.#outbox.push({ kind: 'reject', request, reason: 'timeout' }),
    );
    this.#walk = new BatchWalk(this.#queue, options);
    this.#idle = new IdleInstances(instances);
    this.#order = options.preserveOrdering ? new ResponseOrder() : undefined;
  }

  offer(request: StrategyRequest, now: Nanos): string | undefined {
    if (request.rows > this.options.maxBatchSize) return 'batch-too-large';
    if (!this.#queue.add(request, this.#levelOf(request), now)) return 'queue-full';
    this.#changed = true;
    return undefined;
  }

  finished(execution: Execute, _now: Nanos, ok = true): void {
    this.#idle.release(execution.instance);
    this.#changed = true;
    this.#order?.finished(execution, ok, (request) =>
      this.#outbox.push({ kind: 'respond', request, source: 'execution' }),
    );
  }

  poll(now: Nanos): Action | undefined {
    // Answers first, by themselves: around this strategy (`triton-ensemble`) they can bring requests for the next batch.
    const due = this.#outbox.shift();
    if (due !== undefined) return due;
    if (this.#changed || now !== this.#polledAt) this.#schedule(now);
    return this.#outbox.shift();
  }

  wakeAt(): Nanos | undefined {
    if (this.#delayEnd !== undefined) return this.#delayEnd;
    const sweeps = this.#waitBegin !== undefined && this.options.expirySweep > 0 && this.#queue.canExpire;
    return sweeps ? this.#nextSweep : undefined;
  }

  cancel(request: StrategyRequest): boolean {
    const dropped = this.#queue.remove(request, this.#levelOf(request));
    this.#changed ||= dropped;
    return dropped;
  }

  waiting(): number {
    return this.#queue.size;
  }

  /** All that this instant asks for goes to the outbox. */
  #schedule(now: Nanos): void {
    this.#changed = false;
    this.#polledAt = now;
    this.#delayEnd = undefined;
    if (this.#idle.count > 0) this.#waitBegin = undefined;
    while (this.#idle.count > 0 && this.#queue.size > 0) {
      const decision = this.#walk.decide(now);
      this.#delayEnd = decision.waitUntil;
      if (decision.send === 0) break;
      this.#send(decision.send, decision.rows);
    }
    this.#await(now);
  }

  #send(requests: number, rows: number): void {
    const instance = this.#idle.lowest();
    const action: Execute =
      this.#order === undefined
        ? { kind: 'execute', instance, requests: this.#queue.take(requests), rows }
        : { kind: 'execute', instance, requests: this.#queue.take(requests), rows, hold: true };
    this.#idle.take(instance);
    this.#order?.started(action);
    this.#outbox.push(action);
  }

  /** While every instance is busy, expired requests are looked for every `expirySweep` from the beginning of the wait. */
  #await(now: Nanos): void {
    const { expirySweep } = this.options;
    if (this.#idle.count > 0 || this.#queue.size === 0) {
      this.#waitBegin = undefined;
    } else if (this.#waitBegin === undefined) {
      this.#waitBegin = now;
      this.#nextSweep = now + expirySweep;
    } else if (expirySweep > 0 && now >= this.#nextSweep) {
      this.#queue.sweep(now);
      this.#nextSweep = now + expirySweep - ((now - this.#waitBegin) % expirySweep);
      if (this.#queue.size === 0) this.#waitBegin = undefined;
    }
  }

  #levelOf({ priority = 0 }: StrategyRequest): number {
    const { priorityLevels, defaultPriorityLevel = 1 } = this.options;
    return (
      (Number.isInteger(priority) && priority > 0 && priority <= priorityLevels ? priority : defaultPriorityLevel) - 1
    );
  }
}
