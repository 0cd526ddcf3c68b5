import { nowNs } from '../../results/clock.js';

/** A call that waits for its answer. */
export interface Pending {
  readonly settled: boolean;
  /** Its time is over. */
  expire(): void;
}

/**
 * The same timeout for every call, with one timer for all: calls expire in the order in which they were added. A timer of
 * its own for each call would cost more than encoding a small request.
 */
export class Deadlines {
  private calls: Pending[] = [];
  private times: number[] = [];
  private head = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly timeoutNs: number) {}

  add(call: Pending, startNs: number): void {
    this.dropSettled();
    this.calls.push(call);
    this.times.push(startNs + this.timeoutNs);
    if (!this.timer) this.arm();
  }

  close(): void {
    clearTimeout(this.timer);
    this.calls = [];
    this.times = [];
    this.head = 0;
  }

  private arm(): void {
    const due = this.times[this.head];
    if (due === undefined) return;
    this.timer = setTimeout(() => this.expire(), Math.min(2 ** 31 - 1, Math.max(1, Math.ceil((due - nowNs()) / 1e6))));
    this.timer.unref();
  }

  private expire(): void {
    this.timer = undefined;
    const now = nowNs();
    while (this.head < this.calls.length && this.times[this.head]! <= now) {
      const call = this.calls[this.head++]!;
      if (!call.settled) call.expire();
    }
    this.dropSettled();
    this.arm();
  }

  private dropSettled(): void {
    while (this.head < this.calls.length && this.calls[this.head]!.settled) this.head++;
    if (this.head < 1024 && this.head < this.calls.length) return;
    this.calls = this.calls.slice(this.head);
    this.times = this.times.slice(this.head);
    this.head = 0;
  }
}
