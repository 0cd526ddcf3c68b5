import type { Execute, StrategyRequest } from '../contract.js';
import { Fifo } from './fifo.js';

/** Answers held executions in the order in which they were started: one that ends early waits for those before it. */
export class ResponseOrder {
  readonly #started = new Fifo<Execute>();
  /** Ended, not yet answered; false where the instance failed and its requests already have their error. */
  readonly #ended = new Map<Execute, boolean>();

  started(execution: Execute): void {
    this.#started.push(execution);
  }

  /** Hands every request that may be answered now to `respond`, in order. */
  finished(execution: Execute, ok: boolean, respond: (request: StrategyRequest) => void): void {
    this.#ended.set(execution, ok);
    for (let first = this.#started.peek(); first !== undefined; first = this.#started.peek()) {
      const answer = this.#ended.get(first);
      if (answer === undefined) return;
      this.#started.shift();
      this.#ended.delete(first);
      if (answer) for (const request of first.requests) respond(request);
    }
  }
}
