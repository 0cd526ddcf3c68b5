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
import { count, positive } from './support/options.js';
import { rowsOf } from './support/rows.js';

const options = z
  .strictObject({
    batchSize: positive().default(1),
    maxBatchDelay: duration().default(100_000_000),
    jobQueueSize: positive().default(1000),
    minWorkers: count().default(1),
    maxWorkers: positive().optional(),
    maxIdleTime: duration().default(60_000_000_000),
  })
  .refine(({ minWorkers, maxWorkers }) => maxWorkers === undefined || minWorkers <= maxWorkers, {
    path: ['minWorkers'],
    error: 'exceeds maxWorkers',
  });

type Options = z.output<typeof options>;

/**
 * Fixed workers and temporary ones that come with load and leave when idle; each drains the queue, then waits for more.
 * Batches count requests, not rows. Source: DJL Serving, work-load manager and batch aggregators.
 */
export const djlWlm = defineStrategy({
  name: 'djl-wlm',
  summary: 'Fixed and temporary workers, each draining the queue and then waiting for its batch to fill',
  source: 'DJL Serving, work-load manager',
  differs: [
    'One device.',
    'Idle workers stand in a line and get jobs in turn; the original leaves the order to the threads.',
  ],
  originals: {
    batchSize: 'batch_size',
    maxBatchDelay: 'max_batch_delay',
    jobQueueSize: 'job_queue_size',
    minWorkers: 'minWorkers',
    maxWorkers: 'maxWorkers',
    maxIdleTime: 'max_idle_time',
  },
  options,
  examples: [
    {},
    { batchSize: 4, maxBatchDelay: '2ms', jobQueueSize: 8, maxIdleTime: '10ms' },
    { batchSize: 8, maxBatchDelay: 0, minWorkers: 0 },
  ],
  executesOnce: true,
  maxRows: ({ batchSize }) => batchSize,
  create: (given, { instances }) => new DjlWlm(given, instances.length),
});

interface Worker {
  readonly instance: number;
  readonly temporary: boolean;
  busy: boolean;
  /** When it was added or last ended an execution. */
  idleSince: Nanos;
  /** Empty = it waits, else it collects. */
  jobs: StrategyRequest[];
  /** When it picked up the first of its jobs. */
  pickedUpAt: Nanos;
}

class DjlWlm implements Strategy {
  readonly #queue = new Fifo<StrategyRequest>();
  /** By instance; undefined where there is none. */
  readonly #workers: (Worker | undefined)[];
  #workerCount = 0;
  #busyCount = 0;
  /** Waiting and collecting workers. */
  readonly #line = new Fifo<Worker>();
  /** Numbers of workers still to be told. */
  readonly #scales = new Fifo<number>();
  readonly #maxWorkers: number;
  #collected = 0;

  constructor(
    readonly options: Options,
    instances: number,
  ) {
    this.#maxWorkers = Math.min(options.maxWorkers ?? instances, instances);
    this.#workers = new Array<Worker | undefined>(instances).fill(undefined);
    for (let i = 0; i < Math.min(options.minWorkers, instances); i++) this.#add(i, false, 0);
  }

  offer(request: StrategyRequest, now: Nanos): string | undefined {
    const left = this.options.jobQueueSize - this.#queue.length;
    // The last place is kept while all are busy.
    if (left < 1 || (left === 1 && this.#busyCount === this.#workerCount)) {
      this.#grow(now);
      return 'queue-full';
    }
    this.#queue.push(request);
    if (this.#workerCount === 0 || this.#queue.length > 2 * this.options.batchSize) this.#grow(now);
    return undefined;
  }

  finished(execution: Execute, now: Nanos): void {
    const worker = this.#workers[execution.instance]!;
    worker.busy = false;
    worker.idleSince = now;
    this.#busyCount--;
    this.#line.push(worker);
  }

  poll(now: Nanos): Action | undefined {
    const replicas = this.#scales.shift();
    if (replicas !== undefined) return { kind: 'scale', replicas };
    return this.#deal(now) ?? this.#executeDue(now) ?? this.#leave(now);
  }

  wakeAt(): Nanos | undefined {
    let earliest: Nanos = Number.POSITIVE_INFINITY;
    for (const worker of this.#line) earliest = Math.min(earliest, this.#dueAt(worker));
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  cancel(request: StrategyRequest): boolean {
    if (this.#queue.remove(request)) return true;
    for (const { jobs } of this.#line) {
      const index = jobs.indexOf(request);
      if (index < 0) continue;
      jobs.splice(index, 1);
      this.#collected--;
      return true;
    }
    return false;
  }

  waiting(): number {
    return this.#queue.length + this.#collected;
  }

  #grow(now: Nanos): void {
    if (this.#workerCount >= this.#maxWorkers) return;
    this.#add(this.#workers.indexOf(undefined), true, now);
    this.#scales.push(this.#workerCount);
  }

  #add(instance: number, temporary: boolean, now: Nanos): void {
    const worker: Worker = { instance, temporary, busy: false, idleSince: now, jobs: [], pickedUpAt: now };
    this.#workers[instance] = worker;
    this.#workerCount++;
    this.#line.push(worker);
  }

  /** The line's head takes from the queue, all it can if it waited, one job if it collects, until one has a full batch. */
  #deal(now: Nanos): Execute | undefined {
    while (this.#queue.length > 0 && this.#line.length > 0) {
      const worker = this.#line.shift()!;
      const { jobs } = worker;
      if (jobs.length === 0) worker.pickedUpAt = now;
      const room = jobs.length === 0 ? this.options.batchSize : 1;
      for (let i = 0; i < room && this.#queue.length > 0; i++) {
        jobs.push(this.#queue.shift()!);
        this.#collected++;
      }
      if (jobs.length >= this.options.batchSize) return this.#execute(worker);
      this.#line.push(worker);
    }
    return undefined;
  }

  #executeDue(now: Nanos): Execute | undefined {
    const worker = this.#workers.find((each) => each !== undefined && isCollecting(each) && now >= this.#dueAt(each));
    if (worker === undefined) return undefined;
    this.#line.remove(worker);
    return this.#execute(worker);
  }

  #leave(now: Nanos): Action | undefined {
    const worker = this.#workers.find((each) => each !== undefined && isWaiting(each) && now >= this.#dueAt(each));
    if (worker === undefined) return undefined;
    this.#line.remove(worker);
    this.#workers[worker.instance] = undefined;
    this.#workerCount--;
    return { kind: 'scale', replicas: this.#workerCount };
  }

  #execute(worker: Worker): Execute {
    const requests = worker.jobs;
    worker.jobs = [];
    worker.busy = true;
    this.#busyCount++;
    this.#collected -= requests.length;
    return { kind: 'execute', instance: worker.instance, requests, rows: rowsOf(requests) };
  }

  /** When a worker in the line does something by itself: executes what it has, or leaves. */
  #dueAt(worker: Worker): Nanos {
    if (isCollecting(worker)) return worker.pickedUpAt + this.options.maxBatchDelay;
    return worker.temporary ? worker.idleSince + this.options.maxIdleTime : Number.POSITIVE_INFINITY;
  }
}

function isCollecting({ busy, jobs }: Worker): boolean {
  return !busy && jobs.length > 0;
}

function isWaiting({ busy, jobs }: Worker): boolean {
  return !busy && jobs.length === 0;
}
