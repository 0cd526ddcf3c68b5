import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { nowNs } from '../results/clock.js';
import { compiledUrl } from '../results/compiled.js';
import { WakeLead } from '../results/wake-lead.js';
import { CHANGES, CLOSED, type PacerMemory, pacerMemory, TARGET } from './pacer-protocol.js';
import type { Timeline } from './timeline.js';

/**
 * The real timeline. A worker that sleeps in `Atomics.wait` wakes this thread a lead before the time; the rest is spent
 * in rounds of `setImmediate`, which handle input meanwhile.
 */
export class Pacer implements Timeline {
  private readonly lead = new WakeLead();
  private at = Number.POSITIVE_INFINITY;
  private wake: (() => void) | undefined;
  private spinning = false;
  private readonly memory: PacerMemory;

  private constructor(
    private readonly worker: Worker,
    buffer: SharedArrayBuffer,
  ) {
    this.memory = pacerMemory(buffer);
    worker.on('message', (target: number) => this.woken(target));
    worker.unref();
  }

  static async start(): Promise<Pacer> {
    const buffer = new SharedArrayBuffer(32);
    pacerMemory(buffer).times[TARGET] = Number.POSITIVE_INFINITY;
    const worker = new Worker(compiledUrl(import.meta.url, './pacer-worker.js'), { workerData: buffer });
    await once(worker, 'message');
    return new Pacer(worker, buffer);
  }

  now(): number {
    return nowNs();
  }

  wakeAt(atNs: number, wake: () => void): void {
    this.at = atNs;
    this.wake = wake;
    if (!this.spinning) this.approach();
  }

  async close(): Promise<void> {
    this.wake = undefined;
    Atomics.store(this.memory.control, CLOSED, 1);
    this.signal();
    await this.worker.terminate();
  }

  /** Near: spin. Far: have the worker wake us a lead before. */
  private approach(): void {
    const target = this.at - this.lead.ns;
    if (nowNs() >= target) this.spin();
    else {
      this.memory.times[TARGET] = target;
      this.signal();
    }
  }

  private spin(): void {
    this.spinning = true;
    setImmediate(this.round);
  }

  private readonly round = (): void => {
    this.spinning = false;
    const { wake } = this;
    if (!wake) return;
    const now = nowNs();
    if (now >= this.at) {
      this.wake = undefined;
      wake();
    } else this.approach();
  };

  private woken(target: number): void {
    this.lead.learn(nowNs() - target);
    if (this.wake && !this.spinning) this.round();
  }

  private signal(): void {
    Atomics.add(this.memory.control, CHANGES, 1);
    Atomics.notify(this.memory.control, CHANGES);
  }
}

/** The timeline of closed loops, which never wait for a time but only for answers: no worker. */
export const eventLoop: Timeline = {
  now: nowNs,
  wakeAt(atNs, wake) {
    const leftMs = (atNs - nowNs()) / 1e6;
    // Timers count whole milliseconds from a clock that was read earlier: they may come too soon.
    if (leftMs > 0) setTimeout(() => (nowNs() >= atNs ? wake() : this.wakeAt(atNs, wake)), Math.ceil(leftMs));
    else setImmediate(wake);
  },
};
