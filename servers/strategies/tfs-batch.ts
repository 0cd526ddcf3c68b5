import { z } from 'zod';
import { duration } from '../../results/units.js';
import { defineStrategy, type Execute, type Nanos, type Strategy, type StrategyRequest } from './contract.js';
import { Fifo } from './support/fifo.js';
import { IdleInstances } from './support/idle.js';
import { positive } from './support/options.js';

const options = z
  .strictObject({
    maxBatchSize: positive().default(1000),
    batchTimeout: duration().default(0),
    maxEnqueuedBatches: positive().default(10),
    allowedBatchSizes: z.array(positive()).default([]),
    models: z.array(z.string()).min(1).optional(),
  })
  .superRefine(({ allowedBatchSizes: sizes, maxBatchSize, models = [] }, context) => {
    const refuse = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
    if (sizes.some((size, i) => i > 0 && size <= sizes[i - 1]!)) refuse('allowedBatchSizes', 'sizes must ascend');
    if (sizes.length > 0 && sizes.at(-1) !== maxBatchSize)
      refuse('allowedBatchSizes', `the last is ${sizes.at(-1)}; it must equal maxBatchSize ${maxBatchSize}`);
    if (new Set(models).size < models.length) refuse('models', 'a model is named twice');
  });

type Options = z.output<typeof options>;

/**
 * Batches are cut when requests are enqueued, not when they are run; instances go round the models' queues.
 * Source: TensorFlow Serving, SharedBatchScheduler (without priorities and without splitting of large tasks).
 */
export const tfsBatch = defineStrategy({
  name: 'tfs-batch',
  summary: 'Batches are cut on arrival and close by size or age; models take turns',
  source: 'TensorFlow Serving, SharedBatchScheduler',
  differs: [
    'Large tasks are not split, and there are no priorities.',
    '`num_batch_threads` is the number of instances; any instance runs any model.',
  ],
  originals: {
    maxBatchSize: 'max_batch_size',
    batchTimeout: 'batch_timeout_micros',
    maxEnqueuedBatches: 'max_enqueued_batches',
    allowedBatchSizes: 'allowed_batch_sizes',
  },
  options,
  examples: [
    {},
    { maxBatchSize: 8, batchTimeout: '2ms', maxEnqueuedBatches: 4 },
    { maxBatchSize: 8, allowedBatchSizes: [2, 8] },
  ],
  workConserving: ({ batchTimeout }) => batchTimeout === 0,
  executesOnce: true,
  maxRows: ({ maxBatchSize }) => maxBatchSize,
  create: (given, { instances }) => new TfsBatch(given, instances.length),
});

class TfsBatch implements Strategy {
  readonly #queues: readonly BatchQueue[];
  readonly #queueOf: ReadonlyMap<string, BatchQueue> | undefined;
  readonly #idle: IdleInstances;
  /** The queue whose turn it is. */
  #pointer = 0;
  #waiting = 0;

  constructor(
    readonly options: Options,
    instances: number,
  ) {
    this.#queues = (options.models ?? [undefined]).map((model) => new BatchQueue(options, model));
    if (options.models !== undefined)
      this.#queueOf = new Map(options.models.map((model, i) => [model, this.#queues[i]!]));
    this.#idle = new IdleInstances(instances);
  }

  offer(request: StrategyRequest, now: Nanos): string | undefined {
    if (request.rows > this.options.maxBatchSize) return 'batch-too-large';
    const queue = this.#queueFor(request);
    if (queue === undefined) return 'unknown-model';
    if (!queue.add(request, now)) return 'queue-full';
    this.#waiting++;
    return undefined;
  }

  finished(execution: Execute): void {
    this.#idle.release(execution.instance);
  }

  poll(now: Nanos): Execute | undefined {
    if (this.#waiting === 0 || this.#idle.count === 0) return undefined;
    for (let turn = 0; turn < this.#queues.length; turn++) {
      const index = (this.#pointer + turn) % this.#queues.length;
      const queue = this.#queues[index]!;
      if (!queue.ready(now)) continue;
      this.#pointer = (index + 1) % this.#queues.length;
      return this.#execute(queue.take(), queue.model);
    }
    return undefined;
  }

  wakeAt(): Nanos | undefined {
    if (this.#waiting === 0 || this.#idle.count === 0) return undefined;
    const earliest = Math.min(...this.#queues.map((queue) => queue.dueAt));
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  cancel(request: StrategyRequest): boolean {
    const dropped = this.#queueFor(request)?.remove(request) ?? false;
    if (dropped) this.#waiting--;
    return dropped;
  }

  waiting(): number {
    return this.#waiting;
  }

  #queueFor({ model }: StrategyRequest): BatchQueue | undefined {
    return this.#queueOf === undefined ? this.#queues[0] : this.#queueOf.get(model ?? '');
  }

  #execute({ requests, rows }: Batch, model: string | undefined): Execute {
    const instance = this.#idle.lowest();
    this.#idle.take(instance);
    this.#waiting -= requests.length;
    const allowed = this.options.allowedBatchSizes.find((size) => size >= rows) ?? rows;
    return { kind: 'execute', instance, requests, rows, paddedRows: allowed > rows ? allowed : undefined, model };
  }
}

interface Batch {
  readonly requests: StrategyRequest[];
  rows: number;
  /** When its first request came. */
  start: Nanos;
}

/** One model's batches: closed ones, and behind them the open one, which is always there. */
class BatchQueue {
  readonly #closed = new Fifo<Batch>();
  #open = newBatch();

  constructor(
    readonly options: Pick<Options, 'maxBatchSize' | 'batchTimeout' | 'maxEnqueuedBatches'>,
    readonly model: string | undefined,
  ) {}

  /** False where the open batch has no room and no other may be opened. */
  add(request: StrategyRequest, now: Nanos): boolean {
    if (this.#open.rows + request.rows > this.options.maxBatchSize) {
      if (this.#closed.length + 1 >= this.options.maxEnqueuedBatches) return false;
      this.#closed.push(this.#open);
      this.#open = newBatch();
    }
    if (this.#open.requests.length === 0) this.#open.start = now;
    this.#open.requests.push(request);
    this.#open.rows += request.rows;
    return true;
  }

  ready(now: Nanos): boolean {
    if (this.#closed.length > 0) return true;
    const { requests, rows, start } = this.#open;
    return requests.length > 0 && (rows >= this.options.maxBatchSize || now >= start + this.options.batchTimeout);
  }

  /** When its open batch comes of age; infinite where that batch is empty or waits behind others. */
  get dueAt(): Nanos {
    const alone = this.#closed.length === 0 && this.#open.requests.length > 0;
    return alone ? this.#open.start + this.options.batchTimeout : Number.POSITIVE_INFINITY;
  }

  take(): Batch {
    const closed = this.#closed.shift();
    if (closed !== undefined) return closed;
    const open = this.#open;
    this.#open = newBatch();
    return open;
  }

  /** The other batches keep their boundaries; one that becomes empty goes. */
  remove(request: StrategyRequest): boolean {
    for (const batch of [...this.#closed, this.#open]) {
      const index = batch.requests.indexOf(request);
      if (index < 0) continue;
      batch.requests.splice(index, 1);
      batch.rows -= request.rows;
      if (batch.requests.length === 0) this.#closed.remove(batch);
      return true;
    }
    return false;
  }
}

function newBatch(): Batch {
  return { requests: [], rows: 0, start: 0 };
}
