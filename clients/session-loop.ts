import type { OpenLoopOptions } from './open-loop.js';
import { SessionQueue } from './session-queue.js';
import { BURST, type Loop } from './timeline.js';

/** Sends each step of each session when it is due: an open loop whose due times depend on answers. */
export class SessionLoop implements Loop {
  private readonly queue: SessionQueue;
  private issuing = false;
  private over = false;

  constructor(private readonly options: OpenLoopOptions) {
    this.queue = new SessionQueue(options.plan);
  }

  start(): void {
    this.issue();
  }

  stop(reason: string): void {
    this.end(reason);
  }

  private readonly issue = (): void => {
    if (this.over || this.issuing) return;
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
    const { nextDueNs, inFlight, isOver } = this.queue;
    if (isOver) this.end(null);
    else if (inFlight < plan.cap && nextDueNs < Number.POSITIVE_INFINITY)
      timeline.wakeAt(originNs + nextDueNs, this.issue);
  };

  private isDue(now: number): boolean {
    return !this.over && this.queue.inFlight < this.options.plan.cap && this.queue.nextDueNs <= now;
  }

  private sendNext(): void {
    const { plan, send } = this.options;
    const { index, dueNs } = this.queue.take();
    const done = (completedNs: number, ok: boolean): void => {
      this.queue.completed(index, completedNs, ok);
      this.issue();
    };
    // Payloads of sequences are made request by request (encoded.ts).
    send(plan.sampleIndex[index]!, plan.query[index]!, dueNs, done, plan.sessions!.sequence ? index + 1 : 0);
  }

  private end(stoppedEarly: string | null): void {
    if (this.over) return;
    this.over = true;
    this.options.ended(stoppedEarly);
  }
}
