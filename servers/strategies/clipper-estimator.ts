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
import { DeadlineQueue, deadlineBy } from './support/deadline-queue.js';
import { IdleInstances } from './support/idle.js';
import { LatencyLine } from './support/latency-line.js';
import { count, positive } from './support/options.js';

const options = z.strictObject({
  slo: duration(),
  budgetPercent: z.number().positive().max(100).default(92),
  minSamples: positive().default(5),
  additiveBelow: count().default(10),
  growthPercent: z.number().nonnegative().default(10),
  z: z.number().nonnegative().default(3),
  maxBatchSize: count().default(0),
});

type Options = z.output<typeof options>;

/**
 * Each replica explores larger batches as long as the head's time budget exceeds its worst latency, and else takes the batch
 * that a line through its latencies says will fit. Every request counts as one row. Source: Clipper's released task
 * executor and latency estimator; the random growth is a fixed percentage here.
 */
export const clipperEstimator = defineStrategy({
  name: 'clipper-estimator',
  summary: 'Each replica explores larger batches while there is time and else estimates what fits the deadline',
  source: 'Clipper release, task executor and latency estimator',
  differs: [
    'The random growth of the released code (1 + N(0.1, 0.05)) is a fixed percentage: a strategy draws nothing.',
  ],
  originals: { slo: 'latency_objective', budgetPercent: 'budget decay', growthPercent: 'mean exploration factor' },
  options,
  examples: [{ slo: '50ms' }, { slo: '10ms', minSamples: 1, growthPercent: 20, maxBatchSize: 16 }],
  workConserving: () => true,
  maxRows: ({ maxBatchSize }) => maxBatchSize || Number.POSITIVE_INFINITY,
  create: (given, { instances }) => new ClipperEstimator(given, instances.length),
});

interface Replica {
  /** The largest size executed; 1 at first. */
  max: number;
  /** The longest latency seen. */
  worst: Nanos;
  readonly latencies: LatencyLine;
  /** Of the execution under way. */
  start: Nanos;
}

class ClipperEstimator implements Strategy {
  readonly #queue: DeadlineQueue;
  readonly #idle: IdleInstances;
  readonly #replicas: readonly Replica[];
  readonly #maxBatchSize: number;

  constructor(
    readonly options: Options,
    instances: number,
  ) {
    this.#queue = new DeadlineQueue(deadlineBy(options.slo));
    this.#idle = new IdleInstances(instances);
    this.#replicas = Array.from({ length: instances }, () => ({
      max: 1,
      worst: 0,
      latencies: new LatencyLine(),
      start: 0,
    }));
    this.#maxBatchSize = options.maxBatchSize || Number.POSITIVE_INFINITY;
  }

  offer(request: StrategyRequest): undefined {
    this.#queue.add(request);
  }

  finished(execution: Execute, now: Nanos, ok = true): void {
    this.#idle.release(execution.instance);
    if (!ok) return;
    const replica = this.#replicas[execution.instance]!;
    const size = execution.paddedRows ?? execution.rows;
    const latency = now - replica.start;
    replica.latencies.add(size, latency);
    replica.max = Math.max(replica.max, size);
    replica.worst = Math.max(replica.worst, latency);
  }

  poll(now: Nanos): Action | undefined {
    if (this.#idle.count === 0 || this.#queue.length === 0) return undefined;
    if (this.#queue.earliest <= now) return { kind: 'reject', request: this.#queue.shift()!, reason: 'expired' };
    const instance = this.#idle.lowest();
    const replica = this.#replicas[instance]!;
    const budget = Math.floor(((this.#queue.earliest - now) * this.options.budgetPercent) / 100);
    const explores = budget > replica.worst;
    const size = Math.min(this.#maxBatchSize, explores ? this.#explore(replica) : this.#estimate(replica, budget));
    const requests = this.#queue.takeFrom(Number.NEGATIVE_INFINITY, size);
    // Every request counts as one row: sizes are numbers of requests.
    const rows = requests.length;
    this.#idle.take(instance);
    replica.start = now;
    return { kind: 'execute', instance, requests, rows, paddedRows: explores && size > rows ? size : undefined };
  }

  wakeAt(): undefined {
    return undefined;
  }

  cancel(request: StrategyRequest): boolean {
    return this.#queue.remove(request);
  }

  waiting(): number {
    return this.#queue.length;
  }

  /** One size more once the largest has been seen often enough; executions are padded so that they show this size. */
  #explore({ max, latencies }: Replica): number {
    const { minSamples, additiveBelow, growthPercent } = this.options;
    if (latencies.samplesOf(max) < minSamples) return max;
    return max < additiveBelow ? max + 1 : Math.max(max + 1, Math.floor((max * (100 + growthPercent)) / 100));
  }

  #estimate({ max, latencies }: Replica, budget: Nanos): number {
    const fitting = latencies.sizeWithin(budget, this.options.z);
    return fitting === undefined ? max : Math.min(max, Math.max(1, fitting));
  }
}
