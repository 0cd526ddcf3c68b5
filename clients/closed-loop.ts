import type { LoadPlan } from './loads/index.js';
import { BURST, type Loop, type Send, type Timeline } from './timeline.js';

export interface ClosedLoopOptions {
  readonly plan: Extract<LoadPlan, { mode: 'closed' }>;
  readonly originNs: number;
  /** Requests that there is room to record. */
  readonly capacity: number;
  readonly timeline: Timeline;
  readonly send: Send;
  readonly ended: (stoppedEarly: string | null) => void;
}

/** So many failures without one success between them: the server is gone, and the loop would only spin. */
const FAILURES_IN_A_ROW = 10_000;

/** Keeps `concurrency` queries in flight. A query is due when the one before it in its slot has completed. */
export class ClosedLoop implements Loop {
  private queries = 0;
  private lastIssuedNs = 0;
  private failures = 0;
  private over = false;
  private pumping = false;
  /** Due times of queries that may go out now. */
  private ready: number[] = [];

  constructor(private readonly options: ClosedLoopOptions) {}

  /** Not before t = 0. Its users come when the loop is there: a timer that is late must not count as their wait. */
  start(): void {
    const { plan, originNs, timeline } = this.options;
    const begin = () => {
      const now = Math.max(0, timeline.now() - originNs);
      this.ready = new Array<number>(plan.concurrency).fill(now);
      this.pump();
    };
    if (timeline.now() >= originNs) begin();
    else timeline.wakeAt(originNs, begin);
  }

  stop(reason: string): void {
    this.end(reason);
  }

  /** Not recursive, although a completion may come while its request is being sent (a refusal within one process). */
  private readonly pump = (): void => {
    if (this.pumping) return;
    this.pumping = true;
    const { timeline, originNs } = this.options;
    for (let burst = 0; burst < BURST && this.ready.length > 0 && !this.over; burst++) this.issueQuery();
    this.pumping = false;
    if (this.ready.length > 0 && !this.over) timeline.wakeAt(originNs, this.pump);
  };

  private issueQuery(): void {
    const { plan, originNs, timeline, send } = this.options;
    const now = timeline.now() - originNs;
    const finished = this.finished(now);
    if (finished !== undefined) {
      this.end(finished);
      return;
    }
    const due = this.ready.shift()!;
    const query = this.queries++;
    this.lastIssuedNs = now;
    const done = this.whenAll(plan.perQuery);
    for (let i = 0; i < plan.perQuery; i++) {
      const k = (query * plan.perQuery + i) % plan.sampleIndex.length;
      send(plan.sampleIndex[k]!, query, due, done, plan.mix?.of[k] ?? 0);
    }
  }

  /** Why to end before the next query: null where all is done that was asked, a reason where not, undefined to go on. */
  private finished(now: number): string | null | undefined {
    const { plan, capacity } = this.options;
    const minimaMet = this.lastIssuedNs >= plan.minDurationNs && this.queries >= plan.minQueries;
    if (minimaMet || this.queries >= plan.maxQueries) return null;
    // A loop of fixed length (minimum = maximum) has done its work when that time has come.
    if (now >= plan.maxDurationNs)
      return plan.minDurationNs >= plan.maxDurationNs && this.queries >= plan.minQueries ? null : 'maximum duration';
    if ((this.queries + 1) * plan.perQuery > capacity) return 'no room for more records';
    return this.failures >= FAILURES_IN_A_ROW ? `${FAILURES_IN_A_ROW} failures in a row` : undefined;
  }

  private whenAll(count: number): (completedNs: number, ok: boolean) => void {
    let left = count;
    let latest = 0;
    return (completedNs, ok) => {
      this.failures = ok ? 0 : this.failures + 1;
      if (completedNs > latest) latest = completedNs;
      if (--left > 0) return;
      this.ready.push(latest);
      this.pump();
    };
  }

  private end(stoppedEarly: string | null): void {
    if (this.over) return;
    this.over = true;
    this.options.ended(stoppedEarly);
  }
}
