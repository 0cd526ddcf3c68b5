import { z } from 'zod';
import { defineStrategy, type Execute, type Strategy, type StrategyRequest } from './contract.js';
import { Fifo } from './support/fifo.js';
import { count } from './support/options.js';

const options = z.strictObject({ maxQueueSize: count().default(0) });

/**
 * The baseline: one instance, one queue, one request an execution. Further instances stay idle.
 * Source: Triton's default scheduler; the queue limit is ours.
 */
export const serial = defineStrategy({
  name: 'serial',
  summary: 'One request at a time on one instance, first come, first served',
  source: 'Triton default scheduler',
  differs: ['A queue limit (`maxQueueSize`) is ours: the original’s default scheduler has none.'],
  options,
  examples: [{}, { maxQueueSize: 4 }],
  workConserving: () => true,
  executesOnce: true,
  plain: ({ maxQueueSize }) => ({ limit: maxQueueSize || Number.POSITIVE_INFINITY, instances: 1 }),
  maxRows: () => 1,
  create: ({ maxQueueSize }) => new Serial(maxQueueSize || Number.POSITIVE_INFINITY),
});

class Serial implements Strategy {
  readonly #queue = new Fifo<StrategyRequest>();
  #idle = true;

  constructor(readonly limit: number) {}

  offer(request: StrategyRequest): string | undefined {
    if (this.#queue.length >= this.limit) return 'queue-full';
    this.#queue.push(request);
    return undefined;
  }

  finished(): void {
    this.#idle = true;
  }

  poll(): Execute | undefined {
    if (!this.#idle) return undefined;
    const request = this.#queue.shift();
    if (request === undefined) return undefined;
    this.#idle = false;
    return { kind: 'execute', instance: 0, requests: [request], rows: request.rows };
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
}
