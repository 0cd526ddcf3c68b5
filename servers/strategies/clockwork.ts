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
import { IdleInstances } from './support/idle.js';
import { positive } from './support/options.js';
import { rowsOf } from './support/rows.js';

const options = z.strictObject({ slo: duration().default(0), maxBatchSize: positive().default(16) });

type Options = z.output<typeof options>;

/**
 * Nothing is run that the profile says would end late: such requests are refused as soon as that is known, and a batch holds
 * only requests that will bear its size. Every request counts as one row. Source: Clockwork, without model loading.
 */
export const clockwork = defineStrategy({
  name: 'clockwork',
  summary:
    'Admission by profile: whatever would end after its deadline is refused at once; batches as large as deadlines bear',
  source: 'Clockwork, OSDI 2020',
  differs: ['One row a request, one model, and no loading of models: admission by profile alone.'],
  options,
  examples: [{ slo: '20ms' }, { slo: '5ms', maxBatchSize: 4 }],
  usesProfile: true,
  workConserving: () => true,
  maxRows: ({ maxBatchSize }) => maxBatchSize,
  create: (given, context) => new Clockwork(given, context),
});

class Clockwork implements Strategy {
  readonly #queue: DeadlineQueue;
  readonly #idle: IdleInstances;
  readonly #cost: StrategyContext['cost'];
  /** By instance: when what runs there should end; infinite where nothing runs. */
  readonly #plannedEnds: Nanos[];

  constructor(
    readonly options: Options,
    { instances, cost }: StrategyContext,
  ) {
    this.#queue = new DeadlineQueue(deadlineBy(options.slo));
    this.#idle = new IdleInstances(instances.length);
    this.#cost = cost;
    this.#plannedEnds = instances.map(() => Number.POSITIVE_INFINITY);
  }

  offer(request: StrategyRequest): undefined {
    this.#queue.add(request);
  }

  finished(execution: Execute): void {
    this.#idle.release(execution.instance);
    this.#plannedEnds[execution.instance] = Number.POSITIVE_INFINITY;
  }

  poll(now: Nanos): Action | undefined {
    if (this.#queue.length === 0) return undefined;
    const start = this.#idle.count > 0 ? now : Math.max(now, Math.min(...this.#plannedEnds));
    if (start + this.#cost(1) > this.#queue.earliest)
      return { kind: 'reject', request: this.#queue.shift()!, reason: 'late' };
    return this.#idle.count > 0 ? this.#execute(now) : undefined;
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

  /** The largest batch that enough requests will bear; the more urgent ones it passes over stay queued. */
  #execute(now: Nanos): Execute {
    let size = Math.min(this.options.maxBatchSize, this.#queue.length);
    while (size > 1 && this.#queue.countFrom(now + this.#cost(size)) < size) size--;
    const end = now + this.#cost(size);
    const requests = this.#queue.takeFrom(end, size);
    const instance = this.#idle.lowest();
    this.#idle.take(instance);
    this.#plannedEnds[instance] = end;
    return { kind: 'execute', instance, requests, rows: rowsOf(requests) };
  }
}
