import { type DueQueue, PlanQueue } from './due-queue.js';
import type { LoadPlan } from './loads/index.js';
import { SessionQueue } from './session-queue.js';
import { BURST, type Loop, type Send, type Timeline } from './timeline.js';

export interface OpenLoopOptions {
  readonly plan: Extract<LoadPlan, { mode: 'open' }>;
  /** Clock reading of the plan's t = 0. */
  readonly originNs: number;
  /** It stops after this long, even where the cap holds requests back. */
  readonly maxDurationNs: number;
  readonly timeline: Timeline;
  readonly send: Send;
  /** Nothing more will be sent: all went out, or why not. */
  readonly ended: (stoppedEarly: string | null) => void;
}

/**
 * Sends each request at its due time, whatever became of the earlier ones; of sessions, each step when the answers it follows
 * make it due. A late loop sends what is overdue at once, and in the plan's order; it never shifts the plan.
 */
export class OpenLoop implements Loop {
  private readonly queue: DueQueue;
  private issuing = false;
  private over = false;

  constructor(private readonly options: OpenLoopOptions) {
    const { plan } = options;
    this.queue = plan.sessions ? new SessionQueue(plan) : new PlanQueue(plan);
  }

  /** Requests sent; of a plan without sessions also the number of the next one. */
  get issued(): number {
    return this.queue.issued;
  }

  start(): void {
    const { plan, timeline, originNs } = this.options;
    if (!plan.sessions) timeline.follow?.(originNs);
    this.issue();
  }

  stop(reason: string): void {
    this.end(reason);
  }

  private readonly issue = (): void => {
    if (this.over || this.issuing) return;
    const { plan, originNs, maxDurationNs, timeline, send } = this.options;
    const { queue } = this;
    let now = timeline.now() - originNs;
    if (now >= maxDurationNs) {
      this.end('maximum duration');
      return;
    }
    this.issuing = true;
    for (let burst = 0; burst < BURST && this.isDue(now); burst++) {
      queue.sendNext(send, this.issue);
      now = timeline.now() - originNs;
    }
    this.issuing = false;
    if (this.over) return;
    if (queue.isOver) this.end(null);
    else if (queue.inFlight < plan.cap && queue.nextDueNs < Number.POSITIVE_INFINITY)
      timeline.wakeAt(originNs + queue.nextDueNs, this.issue);
  };

  private isDue(now: number): boolean {
    return !this.over && this.queue.inFlight < this.options.plan.cap && this.queue.nextDueNs <= now;
  }

  private end(stoppedEarly: string | null): void {
    if (this.over) return;
    this.over = true;
    this.options.ended(stoppedEarly);
  }
}
