import { z } from 'zod';
import { duration } from '../../results/units.js';
import {
  type Action,
  defineStrategy,
  type Execute,
  type Nanos,
  type Strategy,
  type StrategyContext,
  type StrategyRequest,
} from './contract.js';
import { DeadlineQueue, deadlineBy } from './support/deadline-queue.js';
import { Fifo } from './support/fifo.js';
import { IdleInstances } from './support/idle.js';
import { positive } from './support/options.js';

const options = z.strictObject({
  maxBatchSize: positive().default(1),
  slo: duration().default(0),
  drop: z.enum(['none', 'expired', 'infeasible']).default('none'),
});

type Options = z.output<typeof options>;

/** The earliest deadline goes first; what is late, or cannot but be late, may be dropped. Source: the textbook rule. */
export const edf = defineStrategy({
  name: 'edf',
  summary: 'The earliest deadline goes first; expired or infeasible requests may be dropped',
  source: 'Earliest deadline first',
  differs: [
    'A textbook rule, not a system. What `drop` does, and the order among equal deadlines (of arrival), is ours.',
    '`drop: infeasible` asks whether a request would be in time alone, not in the batch that it ends in. With batches and more load than fits, what was admitted is late by up to c(maxBatchSize) − c(1), and goodput collapses (scenarios/overload.yaml). Lower `slo` by that much, or use clockwork, which plans with the batch.',
  ],
  options,
  examples: [
    {},
    { maxBatchSize: 4, slo: '10ms', drop: 'expired' },
    { maxBatchSize: 4, slo: '10ms', drop: 'infeasible' },
  ],
  usesProfile: true,
  workConserving: () => true,
  executesOnce: true,
  maxRows: ({ maxBatchSize }) => maxBatchSize,
  create: (given, context) => new Edf(given, context),
});

class Edf implements Strategy {
  readonly #deadlineOf: (request: StrategyRequest) => Nanos;
  readonly #queue: DeadlineQueue;
  readonly #idle: IdleInstances;
  readonly #cost: StrategyContext['cost'];
  /** Requests of which it was found that they will be late. */
  readonly #late = new Fifo<StrategyRequest>();
  /** The longest that any request so far takes alone. */
  #longest: Nanos = 0;

  constructor(
    readonly options: Options,
    { instances, cost }: StrategyContext,
  ) {
    this.#deadlineOf = deadlineBy(options.slo);
    this.#queue = new DeadlineQueue(this.#deadlineOf);
    this.#idle = new IdleInstances(instances.length);
    this.#cost = cost;
  }

  offer(request: StrategyRequest): string | undefined {
    if (request.rows > this.options.maxBatchSize) return 'batch-too-large';
    this.#queue.add(request);
    if (this.options.drop === 'infeasible')
      this.#longest = Math.max(this.#longest, this.#cost(request.rows, request.model));
    return undefined;
  }

  finished(execution: Execute): void {
    this.#idle.release(execution.instance);
  }

  poll(now: Nanos): Action | undefined {
    if (this.#idle.count > 0 && this.#queue.length > 0) {
      if (this.options.drop === 'expired' && this.#queue.earliest <= now)
        return { kind: 'reject', request: this.#queue.shift()!, reason: 'expired' };
      if (this.options.drop === 'infeasible' && this.#late.length === 0) this.#findLate(now);
    }
    const late = this.#late.shift();
    if (late !== undefined) return { kind: 'reject', request: late, reason: 'late' };
    return this.#idle.count > 0 && this.#queue.length > 0 ? this.#execute() : undefined;
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

  /** Only what is due within the longest duration needs a look. */
  #findLate(now: Nanos): void {
    const horizon = now + this.#longest;
    if (this.#queue.earliest >= horizon) return;
    for (const request of this.#queue) {
      const deadline = this.#deadlineOf(request);
      if (deadline >= horizon) break;
      if (now + this.#cost(request.rows, request.model) > deadline) this.#late.push(request);
    }
    for (const request of this.#late) this.#queue.remove(request);
  }

  /** The head, and those behind it up to the first that does not fit. */
  #execute(): Execute {
    const requests: StrategyRequest[] = [];
    let rows = 0;
    for (let next = this.#queue.peek(); next !== undefined; next = this.#queue.peek()) {
      if (rows + next.rows > this.options.maxBatchSize) break;
      requests.push(next);
      rows += next.rows;
      this.#queue.shift();
    }
    const instance = this.#idle.lowest();
    this.#idle.take(instance);
    return { kind: 'execute', instance, requests, rows };
  }
}
