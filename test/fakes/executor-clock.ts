import type { ExecutorClock } from '../../servers/executors/alarm.js';

/** Time that stands still until it is moved. Starts at 1 s, so that times and durations cannot be mistaken for each other. */
export class FakeClock implements ExecutorClock {
  #now = 1e9;
  #soon: (() => void)[] = [];
  #wake: { readonly at: number; readonly callback: () => void } | undefined;
  /** Wakes asked for, in ns from the start. */
  readonly asked: number[] = [];

  now(): number {
    return this.#now;
  }

  wakeAt(ns: number, callback: () => void): void {
    this.#wake = { at: ns, callback };
    this.asked.push(ns - 1e9);
  }

  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  /** The end of a turn of the event loop. */
  turn(): void {
    const due = this.#soon;
    this.#soon = [];
    for (const callback of due) callback();
  }

  /** Let time pass, in ns; wakes on the way happen at their time. */
  advance(ns: number): void {
    const end = this.#now + ns;
    while (this.#wake && this.#wake.at <= end) {
      const { at, callback } = this.#wake;
      this.#wake = undefined;
      this.#now = Math.max(this.#now, at);
      callback();
    }
    this.#now = end;
  }

  close(): void {}
}
