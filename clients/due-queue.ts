import type { LoadPlan } from './loads/index.js';
import type { Send } from './timeline.js';

/** What is due next, and what its answer sets off. */
export interface DueQueue {
  /** Requests sent. */
  readonly issued: number;
  /** Requests under way. */
  readonly inFlight: number;
  /** Infinity where nothing is known to come. */
  readonly nextDueNs: number;
  /** Nothing will be due any more. */
  readonly isOver: boolean;
  /** Sends what is due first; `again` is called by an answer that lets something be sent. */
  sendNext(send: Send, again: () => void): void;
}

/** A plan whose due times are all known: no object and no closure a request. */
export class PlanQueue implements DueQueue {
  issued = 0;
  inFlight = 0;
  private again: () => void = () => {};

  constructor(private readonly plan: Extract<LoadPlan, { mode: 'open' }>) {}

  get nextDueNs(): number {
    const { dueNs } = this.plan;
    return this.issued < dueNs.length ? dueNs[this.issued]! : Number.POSITIVE_INFINITY;
  }

  get isOver(): boolean {
    return this.issued === this.plan.dueNs.length;
  }

  sendNext(send: Send, again: () => void): void {
    const { plan } = this;
    const k = this.issued++;
    this.inFlight++;
    this.again = again;
    send(plan.sampleIndex[k]!, plan.query[k]!, plan.dueNs[k]!, this.completed, plan.mix?.of[k] ?? 0);
  }

  /** The cap may have held back what is due: only then has a completion something to set off. */
  private readonly completed = (): void => {
    if (this.inFlight-- >= this.plan.cap) this.again();
  };
}
