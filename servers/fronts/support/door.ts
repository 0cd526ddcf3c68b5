import { ProtocolError } from '../../protocol/errors.js';
import type { InferOutcome } from '../../protocol/index.js';

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

  /** `done`, to be called at most once, which lets the request out; undefined where it was refused. */
  enter(model: string, done: Done): Done | undefined {
    if (this.#why !== undefined) {
      done({
        ok: false,
        error: new ProtocolError('UNAVAILABLE', `model "${model}" is not ready: ${this.#why}`, 'not-ready'),
      });
      return undefined;
    }
    this.#inside++;
    return (outcome) => {
      done(outcome);
      this.leave();
    };
  }

  /** One that was cancelled is out as well. */
  leave(): void {
    if (--this.#inside > 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }

  /** Resolves when nobody is inside. */
  empty(): Promise<void> {
    if (this.#inside === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }
}
