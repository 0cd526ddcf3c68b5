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
import { deadlineBy } from './support/deadline-queue.js';
import { Fifo } from './support/fifo.js';
import { IdleInstances } from './support/idle.js';
import { positive } from './support/options.js';
import { rowsOf } from './support/rows.js';

const options = z.strictObject({
  slo: duration().default(0),
  targetBatchSize: positive(),
  drop: z.enum(['early', 'lazy']).default('early'),
});

type Options = z.output<typeof options>;

/**
 * First come, first served in batches of a target size. Early drop refuses whoever could not lead a whole batch in time, lazy
 * drop only who could not even run alone. Every request counts as one row. Source: Nexus, early drop.
 */
export const nexus = defineStrategy({
  name: 'nexus',
  summary: 'Batches of a target size; a head too old to lead a whole batch in time is dropped early',
  source: 'Nexus, SOSP 2019',
  differs: [
    'One row a request and one model. The target batch size is given; the original computes it when it packs models onto devices.',
  ],
  originals: { targetBatchSize: 'batch size of the squishy bin packing' },
  options,
  examples: [
    { slo: '20ms', targetBatchSize: 4 },
    { slo: '5ms', targetBatchSize: 8, drop: 'lazy' },
  ],
  usesProfile: true,
  workConserving: () => true,
  executesOnce: true,
  maxRows: ({ targetBatchSize }) => targetBatchSize,
  create: (given, context) => new Nexus(given, context),
});

class Nexus implements Strategy {
  readonly #queue = new Fifo<StrategyRequest>();
  readonly #idle: IdleInstances;
  readonly #cost: StrategyContext['cost'];
  readonly #deadlineOf: (request: StrategyRequest) => Nanos;

  constructor(
    readonly options: Options,
    { instances, cost }: StrategyContext,
  ) {
    this.#idle = new IdleInstances(instances.length);
    this.#cost = cost;
    this.#deadlineOf = deadlineBy(options.slo);
  }

  offer(request: StrategyRequest): undefined {
    this.#queue.push(request);
  }

  finished(execution: Execute): void {
    this.#idle.release(execution.instance);
  }

  poll(now: Nanos): Action | undefined {
    const head = this.#queue.peek();
    if (head === undefined || this.#idle.count === 0) return undefined;
    const size = Math.min(this.options.targetBatchSize, this.#queue.length);
    if (now + this.#cost(this.options.drop === 'early' ? size : 1) > this.#deadlineOf(head))
      return { kind: 'reject', request: this.#queue.shift()!, reason: 'late' };
    return this.#execute(size);
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

  #execute(size: number): Execute {
    const requests = Array.from({ length: size }, () => this.#queue.shift()!);
    const instance = this.#idle.lowest();
    this.#idle.take(instance);
    return { kind: 'execute', instance, requests, rows: rowsOf(requests) };
  }
}
