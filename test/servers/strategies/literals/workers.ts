import type { Execute, StrategyRequest } from '../../../../servers/strategies/contract.js';
import { Literal } from './literal.js';

export interface LiteralTorchserveOptions {
  readonly batchSize: number;
  readonly maxBatchDelay: number;
  readonly jobQueueSize: number;
}

export class LiteralTorchserve extends Literal {
  line: number[];
  collector: { worker: number; t0: number; jobs: StrategyRequest[] } | undefined;

  constructor(
    readonly options: LiteralTorchserveOptions,
    instances: number,
  ) {
    super(instances);
    this.line = this.idle();
  }

  offer(request: StrategyRequest): string | undefined {
    if (this.queue.length >= this.options.jobQueueSize) return 'queue-full';
    this.queue.push(request);
    return undefined;
  }

  override ended({ instance }: Execute): void {
    this.line.push(instance);
  }

  act(now: number): void {
    const { batchSize, maxBatchDelay } = this.options;
    for (;;) {
      if (this.collector === undefined) {
        if (this.line.length === 0) return;
        const job = this.pickUp(now);
        if (job === undefined) return;
        this.collector = { worker: this.line.shift()!, t0: now, jobs: [job] };
      }
      const { worker, t0, jobs } = this.collector;
      while (jobs.length < batchSize && !(maxBatchDelay === 0 && jobs.length === 2)) {
        const job = this.pickUp(now);
        if (job === undefined) break;
        jobs.push(job);
      }
      if (jobs.length < batchSize && now < t0 + maxBatchDelay) return;
      this.collector = undefined;
      this.run(worker, jobs);
    }
  }

  /** The next job that has not expired. */
  pickUp(now: number): StrategyRequest | undefined {
    for (;;) {
      const job = this.queue.shift();
      if (job?.deadlineNs === undefined || job.deadlineNs >= now) return job;
      this.reject(job, 'expired');
    }
  }

  wakeAt(): number | undefined {
    return this.collector && this.collector.t0 + this.options.maxBatchDelay;
  }
}

export interface LiteralDjlOptions extends LiteralTorchserveOptions {
  readonly minWorkers: number;
  readonly maxWorkers?: number | undefined;
  readonly maxIdleTime: number;
}

interface Worker {
  readonly id: number;
  readonly fixed: boolean;
  state: 'wait' | 'collect' | 'busy';
  since: number;
  t0: number;
  jobs: StrategyRequest[];
}

export class LiteralDjl extends Literal {
  workers: Worker[] = [];
  line: Worker[] = [];
  scales: number[] = [];
  readonly maxWorkers: number;

  constructor(
    readonly options: LiteralDjlOptions,
    instances: number,
  ) {
    super(instances);
    this.maxWorkers = Math.min(instances, options.maxWorkers ?? instances);
    for (let id = 0; id < Math.min(options.minWorkers, instances); id++) this.add(id, true, 0);
  }

  offer(request: StrategyRequest, now: number): string | undefined {
    const { jobQueueSize, batchSize } = this.options;
    const left = jobQueueSize - this.queue.length;
    if (left < 1 || (left === 1 && this.workers.every(({ state }) => state === 'busy'))) {
      this.grow(now);
      return 'queue-full';
    }
    this.queue.push(request);
    if (this.workers.length === 0 || this.queue.length > 2 * batchSize) this.grow(now);
    return undefined;
  }

  override ended({ instance }: Execute, _latency: number, now: number): void {
    const worker = this.workers.find(({ id }) => id === instance)!;
    worker.state = 'wait';
    worker.since = now;
    this.line.push(worker);
  }

  act(now: number): void {
    const { batchSize } = this.options;
    for (const replicas of this.scales.splice(0)) this.actions.push({ kind: 'scale', replicas });
    while (this.queue.length > 0 && this.line.length > 0) {
      const worker = this.line.shift()!;
      if (worker.state === 'wait') {
        worker.state = 'collect';
        worker.t0 = now;
        worker.jobs = this.queue.splice(0, batchSize);
      } else worker.jobs.push(this.queue.shift()!);
      if (worker.jobs.length === batchSize) this.go(worker);
      else this.line.push(worker);
    }
    for (const worker of this.byId()) if (worker.state === 'collect' && now >= this.due(worker)) this.go(worker);
    for (const worker of this.byId())
      if (worker.state === 'wait' && now >= this.due(worker)) {
        this.workers = this.workers.filter((other) => other !== worker);
        this.line = this.line.filter((other) => other !== worker);
        this.actions.push({ kind: 'scale', replicas: this.workers.length });
      }
  }

  wakeAt(): number | undefined {
    const times = this.workers.filter(({ state }) => state !== 'busy').map((worker) => this.due(worker));
    return this.earliest(times.filter((time) => time < Number.POSITIVE_INFINITY));
  }

  due({ state, t0, since, fixed }: Worker): number {
    if (state === 'collect') return t0 + this.options.maxBatchDelay;
    return fixed ? Number.POSITIVE_INFINITY : since + this.options.maxIdleTime;
  }

  byId(): Worker[] {
    return this.workers.toSorted((a, b) => a.id - b.id);
  }

  go(worker: Worker): void {
    this.line = this.line.filter((other) => other !== worker);
    worker.state = 'busy';
    this.run(worker.id, worker.jobs);
  }

  grow(now: number): void {
    if (this.workers.length >= this.maxWorkers) return;
    let id = 0;
    while (this.workers.some((worker) => worker.id === id)) id++;
    this.add(id, false, now);
    this.scales.push(this.workers.length);
  }

  add(id: number, fixed: boolean, now: number): void {
    const worker: Worker = { id, fixed, state: 'wait', since: now, t0: 0, jobs: [] };
    this.workers.push(worker);
    this.line.push(worker);
  }
}
