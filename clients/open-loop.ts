import type { LoadPlan } from './loads/index.js';
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
 * Sends each request at its due time, whatever became of the earlier ones. A late loop sends what is overdue at once, and in
 * the plan's order; it never shifts the plan.
 */
export class OpenLoop implements Loop {
  /** Requests sent; also the number of the next one. */
  issued = 0;
  private inFlight = 0;
  private issuing = false;
  private over = false;

  constructor(private readonly options: OpenLoopOptions) {}

  start(): void {
    this.options.timeline.follow?.(this.options.originNs);
    this.issue();
  }

  stop(reason: string): void {
    this.end(reason);
  }

  private issue(): void {
    if (this.over) return;
    const { plan, originNs, maxDurationNs, timeline } = this.options;
    let now = timeline.now() - originNs;
    if (now >= maxDurationNs) {
      this.end('maximum duration');
      return;
    }
    this.issuing = true;
    for (let burst = 0; burst < BURST && this.isDue(now); burst++) {
      this.sendNext();
      now = timeline.now() - originNs;
    }
    this.issuing = false;
    if (this.over) return;
    if (this.issued === plan.dueNs.length) this.end(null);
    else if (this.inFlight < plan.cap) timeline.wakeAt(originNs + plan.dueNs[this.issued]!, this.wake);
  }

  private readonly wake = (): void => this.issue();

  private isDue(now: number): boolean {
    const { dueNs, cap } = this.options.plan;
    return !this.over && this.issued < dueNs.length && this.inFlight < cap && dueNs[this.issued]! <= now;
  }

  private sendNext(): void {
    const { plan, send } = this.options;
    const k = this.issued++;
    this.inFlight++;
    send(plan.sampleIndex[k]!, plan.query[k]!, plan.dueNs[k]!, this.completed, plan.mix?.of[k] ?? 0);
  }

  /** The cap may have held back what is due: only then has a completion something to set off. */
  private readonly completed = (): void => {
    const wasFull = this.inFlight-- >= this.options.plan.cap;
    if (wasFull && !this.issuing) this.issue();
  };

  private end(stoppedEarly: string | null): void {
    if (this.over) return;
    this.over = true;
    this.options.ended(stoppedEarly);
  }
}
