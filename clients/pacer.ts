import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { nowNs } from '../results/clock.js';
import { compiledUrl } from '../results/compiled.js';
import { WakeLead } from '../results/wake-lead.js';
import {
  CHANGES,
  CLOSED,
  LEAD,
  NEXT,
  ORIGIN,
  type PacerBuffers,
  type PacerMemory,
  pacerBuffers,
  pacerMemory,
  TARGET,
} from './pacer-protocol.js';
import type { Timeline } from './timeline.js';

/**
 * The real timeline. A worker that sleeps in `Atomics.wait` wakes this thread a lead before the time; the rest is spent
 * in rounds of `setImmediate`, which handle input meanwhile. For the times of a schedule the worker wakes us unasked.
 */
export class Pacer implements Timeline {
  private at = Number.POSITIVE_INFINITY;
  private wake: (() => void) | undefined;
  private spinning = false;
  private originNs = Number.POSITIVE_INFINITY;
  /** The first time of the schedule that has not passed. */
  private next = 0;
  private readonly memory: PacerMemory;

  private constructor(
    private readonly worker: Worker,
    buffers: PacerBuffers,
    /** What is known of how long this host takes to wake. */
    readonly lead: WakeLead,
  ) {
    this.memory = pacerMemory(buffers);
    worker.on('message', (target: number) => this.woken(target));
    worker.unref();
  }

  /** `dueNs`: ascending; see `follow`. `lead`: where another pacer has learned already. */
  static async start(dueNs: Float64Array = new Float64Array(0), lead = new WakeLead()): Promise<Pacer> {
    const buffers = pacerBuffers(dueNs);
    pacerMemory(buffers).times.fill(Number.POSITIVE_INFINITY, TARGET, ORIGIN + 1);
    const worker = new Worker(compiledUrl(import.meta.url, './pacer-worker.js'), { workerData: buffers });
    await once(worker, 'message');
    return new Pacer(worker, buffers, lead);
  }

  follow(originNs: number): void {
    const { times } = this.memory;
    times[LEAD] = this.lead.ns;
    times[ORIGIN] = originNs;
    this.originNs = originNs;
    this.next = 0;
    Atomics.store(this.memory.control, NEXT, 0);
    this.signal();
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
    else if (!this.isScheduled()) {
      this.memory.times[TARGET] = target;
      this.signal();
    }
  }

  /** The worker knows of this time: telling it, which wakes a sleeping processor, can be saved. */
  private isScheduled(): boolean {
    const { control, schedule } = this.memory;
    while (this.next < schedule.length && this.originNs + schedule[this.next]! < this.at) this.next++;
    const known = this.next < schedule.length && this.originNs + schedule[this.next]! === this.at;
    // It may have passed it just now, by another lead.
    return known && Atomics.load(control, NEXT) <= this.next;
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
    // NaN: it did not sleep, for the time had come so near already.
    if (!Number.isNaN(target)) this.lead.learn(nowNs() - target);
    this.memory.times[LEAD] = this.lead.ns;
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
