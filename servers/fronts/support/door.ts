import { ProtocolError } from '../../protocol/errors.js';
import type { InferOutcome, InferTicket } from '../../protocol/index.js';

type Done = (outcome: InferOutcome) => void;

/** Counts requests in and out; once it is shut it refuses new ones and says why. */
export class Door {
  #why: string | undefined;
  #inside = 0;
  #waiters: (() => void)[] = [];

  shut(why: string): void {
    this.#why = why;
  }

  isOpen(): boolean {
    return this.#why === undefined;
  }

  /**
   * Lets a request in: `ask` hands it on, with what takes its answer, and returns how it is cancelled. It is out with its answer
   * or its cancelling, whichever comes first; the other is nobody's then. Its ticket.
   */
  pass(model: string, done: Done, ask: (answered: Done) => InferTicket): InferTicket {
    if (this.#why !== undefined) {
      const message = `model "${model}" is not ready: ${this.#why}`;
      done({ ok: false, error: new ProtocolError('UNAVAILABLE', message, 'not-ready') });
      return NOTHING;
    }
    this.#inside++;
    let isInside = true;
    const out = (last: () => void): void => {
      if (!isInside) return;
      isInside = false;
      last();
      this.#leave();
    };
    const ticket = ask((outcome) => out(() => done(outcome)));
    return { cancel: () => out(() => ticket.cancel()) };
  }

  /** Resolves when nobody is inside. */
  empty(): Promise<void> {
    if (this.#inside === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #leave(): void {
    if (--this.#inside > 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}

/** Of a request that is not under way. */
export const NOTHING: InferTicket = { cancel: () => {} };
