import { Worker } from 'node:worker_threads';
import { nowNs } from '../../results/clock.js';
import { compiledUrl } from '../../results/compiled.js';
import { WakeLead } from '../../results/wake-lead.js';

/** Time as the real executor sees it; tests bring their own. */
export interface ExecutorClock {
  /** Monotonic, ns. */
  now(): number;
  /** Call back at that time or soon after; replaces what was asked before. An early call is harmless. */
  wakeAt(ns: number, callback: () => void): void;
  /** Call back at the end of this turn of the event loop, when all that has arrived has been read. */
  soon(callback: () => void): void;
  close(): void;
}

/** Waits longer than this begin with a `setTimeout`. */
const COARSE_NS = 6e6;
/** How much before its time that timer is set, for its own error of up to 2 ms. */
const COARSE_MARGIN_NS = 3e6;

/**
 * The real clock. A `setTimeout` of 1 ms takes 1 to 2 ms, and spinning for the difference costs a core: a thread that
 * sleeps in `Atomics.wait` calls a little early, and the rest passes in turns of the event loop.
 * How early follows from how long its calls take. Spinning alone would cost all of the wait.
 */
export function realClock(): ExecutorClock {
  return new RealClock();
}

class RealClock implements ExecutorClock {
  readonly #lead = new WakeLead();
  #sleeper: Sleeper | undefined;
  #timer: NodeJS.Timeout | undefined;
  #dueNs = Number.POSITIVE_INFINITY;
  #callback: () => void = () => {};
  #spinning = false;
  #closed = false;

  now(): number {
    return nowNs();
  }

  soon(callback: () => void): void {
    setImmediate(callback);
  }

  wakeAt(ns: number, callback: () => void): void {
    this.#callback = callback;
    if (ns === this.#dueNs) return;
    this.#dueNs = ns;
    this.#arm();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#sleeper?.close();
  }

  #arm(): void {
    if (this.#closed || this.#spinning || this.#dueNs === Number.POSITIVE_INFINITY) return;
    const left = this.#dueNs - nowNs();
    clearTimeout(this.#timer);
    if (left > COARSE_NS) {
      const ms = Math.min((left - COARSE_MARGIN_NS) / 1e6, 2 ** 31 - 1);
      this.#timer = setTimeout(() => this.#arm(), ms);
      return;
    }
    if (left <= this.#lead.ns) {
      this.#spin();
      return;
    }
    this.#sleeper ??= new Sleeper(this.#lead, () => this.#arm());
    this.#sleeper.wakeAt(this.#dueNs - this.#lead.ns);
  }

  /** The last stretch; the event loop goes on between looks at the clock. */
  #spin(): void {
    this.#spinning = true;
    const left = this.#dueNs - nowNs();
    if (this.#closed) return;
    if (left > this.#lead.ns) {
      this.#spinning = false;
      this.#arm();
    } else if (left > 0) setImmediate(() => this.#spin());
    else {
      this.#spinning = false;
      this.#dueNs = Number.POSITIVE_INFINITY;
      this.#callback();
    }
  }
}

/** A thread that sleeps in our stead. Shared with it: [generation, −1 = end] and the time to wake. */
class Sleeper {
  readonly #generation: Int32Array;
  readonly #wakeNs: Float64Array;
  readonly #worker: Worker;
  #setNs = Number.POSITIVE_INFINITY;

  constructor(lead: WakeLead, callback: () => void) {
    const memory = new SharedArrayBuffer(16);
    this.#generation = new Int32Array(memory, 0, 1);
    this.#wakeNs = new Float64Array(memory, 8, 1);
    this.#worker = new Worker(compiledUrl(import.meta.url, './alarm-worker.js'), { workerData: memory, execArgv: [] });
    this.#worker.on('message', () => {
      const latencyNs = nowNs() - this.#setNs;
      // One that was called for an earlier time than it is set to by now says nothing.
      if (latencyNs > 0) lead.learn(latencyNs);
      this.#setNs = Number.POSITIVE_INFINITY;
      this.#worker.unref();
      callback();
    });
  }

  /** An earlier call that is still to come is good enough: the caller looks at the clock and asks again. */
  wakeAt(ns: number): void {
    if (this.#setNs <= ns) return;
    this.#setNs = ns;
    // A process with nothing else to do waits for it, as for a timer.
    this.#worker.ref();
    this.#wakeNs[0] = ns;
    Atomics.add(this.#generation, 0, 1);
    Atomics.notify(this.#generation, 0);
  }

  close(): void {
    this.#worker.unref();
    Atomics.store(this.#generation, 0, -1);
    Atomics.notify(this.#generation, 0);
  }
}
