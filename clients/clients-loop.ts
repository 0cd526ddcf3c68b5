import type { LoadPlan } from './loads/index.js';
import type { OpenLoopOptions } from './open-loop.js';
import { BURST, type Loop } from './timeline.js';

type OpenPlan = Extract<LoadPlan, { mode: 'open' }>;

export interface ClientsLoopOptions extends OpenLoopOptions {
  /** Requests that there is room to record. */
  readonly capacity: number;
}

/** Between a failure and the next request of a closed client: the answer to a refusal at once must not be a storm. */
const RETRY_NS = 1e6;

/** A request that is due. */
export interface DueRequest {
  /** Its place in `sampleIndex`. */
  readonly index: number;
  readonly dueNs: number;
  readonly kind: number;
  readonly isClosed: boolean;
}

/**
 * Which request of which client is due next: pure, so that real and virtual time share it. Open ones as planned; closed ones
 * when the one before was answered, until the plan's end.
 */
export class ClientsQueue {
  /** Open requests taken. */
  issued = 0;
  private closedIssued = 0;
  /** Closed clients that may ask, ascending by due time. */
  private readonly ready: { readonly dueNs: number; readonly kind: number }[] = [];

  constructor(private readonly plan: OpenPlan) {
    for (const { kind, concurrency } of plan.closed!.clients)
      for (let i = 0; i < concurrency; i++) this.ready.push({ dueNs: 0, kind });
  }

  /** Infinity where nothing is known to come. */
  get nextDueNs(): number {
    return Math.min(this.nextOpenNs(), this.nextClosedNs());
  }

  /** Open requests are all taken, and closed clients ask no more. */
  isOver(now: number): boolean {
    return this.issued === this.plan.dueNs.length && now >= this.plan.closed!.durationNs;
  }

  /** The one that is due first. */
  take(): DueRequest {
    if (this.nextOpenNs() <= this.nextClosedNs()) {
      const index = this.issued++;
      return { index, dueNs: this.plan.dueNs[index]!, kind: this.plan.mix!.of[index]!, isClosed: false };
    }
    const { dueNs, kind } = this.ready.shift()!;
    const { length } = this.plan.dueNs;
    const index = length + (this.closedIssued++ % (this.plan.sampleIndex.length - length));
    return { index, dueNs, kind, isClosed: true };
  }

  /** A closed client's request was answered, or failed. */
  completed(kind: number, completedNs: number, ok: boolean): void {
    const dueNs = completedNs + (ok ? 0 : RETRY_NS);
    let at = this.ready.length;
    while (at > 0 && this.ready[at - 1]!.dueNs > dueNs) at--;
    this.ready.splice(at, 0, { dueNs, kind });
  }

  private nextOpenNs(): number {
    return this.plan.dueNs[this.issued] ?? Number.POSITIVE_INFINITY;
  }

  private nextClosedNs(): number {
    const next = this.ready[0]?.dueNs ?? Number.POSITIVE_INFINITY;
    return next < this.plan.closed!.durationNs ? next : Number.POSITIVE_INFINITY;
  }
}

/** Sends what clients side by side have due: an open loop with closed ones beside it. */
export class ClientsLoop implements Loop {
  private readonly queue: ClientsQueue;
  private sent = 0;
  private issuing = false;
  private over = false;

  constructor(private readonly options: ClientsLoopOptions) {
    this.queue = new ClientsQueue(options.plan);
  }

  /** Open requests sent. */
  get issued(): number {
    return this.queue.issued;
  }

  start(): void {
    const { originNs, timeline } = this.options;
    if (timeline.now() >= originNs) this.issue();
    else timeline.wakeAt(originNs, this.issue);
  }

  stop(reason: string): void {
    this.end(reason);
  }

  private readonly issue = (): void => {
    if (this.over || this.issuing) return;
    const { plan, originNs, maxDurationNs, timeline, capacity } = this.options;
    let now = timeline.now() - originNs;
    if (now >= maxDurationNs || this.sent >= capacity) {
      this.end(now >= maxDurationNs ? 'maximum duration' : 'no room for more records');
      return;
    }
    this.issuing = true;
    for (let burst = 0; burst < BURST && this.sent < capacity && this.queue.nextDueNs <= now; burst++) {
      this.sendNext();
      now = timeline.now() - originNs;
    }
    this.issuing = false;
    if (this.over) return;
    if (this.queue.isOver(now)) this.end(null);
    else timeline.wakeAt(originNs + Math.min(this.queue.nextDueNs, this.lastLook(now, plan)), this.issue);
  };

  /** Where nothing is due the loop looks once more when its time is over. */
  private lastLook(now: number, { closed }: OpenPlan): number {
    return now < closed!.durationNs ? closed!.durationNs : Number.POSITIVE_INFINITY;
  }

  private sendNext(): void {
    const { plan, send } = this.options;
    const { index, dueNs, kind, isClosed } = this.queue.take();
    this.sent++;
    const done = (completedNs: number, ok: boolean): void => {
      if (!isClosed) return;
      this.queue.completed(kind, completedNs, ok);
      this.issue();
    };
    send(plan.sampleIndex[index]!, plan.query[index] ?? this.sent + plan.dueNs.length, dueNs, done, kind);
  }

  private end(stoppedEarly: string | null): void {
    if (this.over) return;
    this.over = true;
    this.options.ended(stoppedEarly);
  }
}
