import { z } from 'zod';
import { duration } from '../../results/units.js';
import {
  type Action,
  defineStrategy,
  type Execute,
  type Nanos,
  type Strategy,
  type StrategyRequest,
} from './contract.js';
import { Fifo } from './support/fifo.js';
import { positive } from './support/options.js';
import { rowsOf } from './support/rows.js';

const options = z.strictObject({
  batchSize: positive().default(1),
  maxBatchDelay: duration().default(100_000_000),
  jobQueueSize: positive().default(100),
});

type Options = z.output<typeof options>;

/**
 * The delay starts when a worker picks up its first job, and one worker collects at a time. Batches count requests, not
 * rows. Source: TorchServe and Multi Model Server, `pollBatch`.
 */
export const torchserveBatch = defineStrategy({
  name: 'torchserve-batch',
  summary: 'One worker at a time collects a batch; its delay starts with the first job it picks up',
  source: 'TorchServe / Multi Model Server, pollBatch',
  differs: [
    'One model, and no control jobs (scaling, describing).',
    'With `maxBatchDelay` 0 a batch has at most two requests: so does the released code.',
  ],
  originals: { batchSize: 'batchSize', maxBatchDelay: 'maxBatchDelay', jobQueueSize: 'job_queue_size' },
  options,
  examples: [{}, { batchSize: 4, maxBatchDelay: '2ms', jobQueueSize: 8 }, { batchSize: 8, maxBatchDelay: 0 }],
  workConserving: ({ batchSize, maxBatchDelay }) => batchSize === 1 || maxBatchDelay === 0,
  executesOnce: true,
  maxRows: ({ batchSize }) => batchSize,
  create: (given, { instances }) =>
    new TorchserveBatch(
      given,
      instances.map(({ id }) => id),
    ),
});

class TorchserveBatch implements Strategy {
  readonly #queue = new Fifo<StrategyRequest>();
  /** Idle workers; the head is the one that collects or will. */
  readonly #line = new Fifo<number>();
  /** In the collector's hand; while it is empty nobody collects. */
  #hand: StrategyRequest[] = [];
  /** When the collector picked up its first job. */
  #pickedUpAt: Nanos = 0;
  readonly #limit: number;

  constructor(
    readonly options: Options,
    instances: readonly number[],
  ) {
    for (const instance of instances) this.#line.push(instance);
    // As released: without a delay the budget is spent after the second job.
    this.#limit = options.maxBatchDelay === 0 ? Math.min(2, options.batchSize) : options.batchSize;
  }

  offer(request: StrategyRequest): string | undefined {
    if (this.#queue.length >= this.options.jobQueueSize) return 'queue-full';
    this.#queue.push(request);
    return undefined;
  }

  finished(execution: Execute): void {
    this.#line.push(execution.instance);
  }

  poll(now: Nanos): Action | undefined {
    if (this.#line.length === 0) return undefined;
    while (this.#hand.length < this.#limit && this.#queue.length > 0) {
      const request = this.#queue.shift()!;
      if (request.deadlineNs !== undefined && request.deadlineNs < now)
        return { kind: 'reject', request, reason: 'expired' };
      if (this.#hand.length === 0) this.#pickedUpAt = now;
      this.#hand.push(request);
    }
    const full = this.#hand.length === this.#limit;
    const due = this.#hand.length > 0 && now >= this.#pickedUpAt + this.options.maxBatchDelay;
    return full || due ? this.#dispatch() : undefined;
  }

  wakeAt(): Nanos | undefined {
    return this.#hand.length > 0 ? this.#pickedUpAt + this.options.maxBatchDelay : undefined;
  }

  cancel(request: StrategyRequest): boolean {
    const index = this.#hand.indexOf(request);
    if (index < 0) return this.#queue.remove(request);
    this.#hand.splice(index, 1);
    return true;
  }

  waiting(): number {
    return this.#queue.length + this.#hand.length;
  }

  #dispatch(): Execute {
    const requests = this.#hand;
    this.#hand = [];
    return { kind: 'execute', instance: this.#line.shift()!, requests, rows: rowsOf(requests) };
  }
}
