import type { DueQueue } from './due-queue.js';
import type { LoadPlan } from './loads/index.js';
import type { Send } from './timeline.js';

type SessionPlan = Extract<LoadPlan, { mode: 'open' }>;

/**
 * Which steps of which sessions are due, and when: pure, so that real and virtual time share it. Request k is step k mod S of
 * session ⌊k / S⌋; its due time is known once the steps before it have been answered.
 */
export class SessionQueue implements DueQueue {
  issued = 0;
  /** Requests under way. */
  inFlight = 0;
  private readonly steps: NonNullable<SessionPlan['sessions']>['steps'];
  /** Of each request: answers it still waits for, and when the latest of those it has came. */
  private readonly waiting: Uint8Array;
  private readonly latest: Float64Array;
  /** Known but not taken, a heap by due time, then number. */
  private readonly heap: { readonly index: number; readonly dueNs: number }[] = [];
  private nextSession = 0;

  constructor(private readonly plan: SessionPlan) {
    this.steps = plan.sessions!.steps;
    const count = plan.dueNs.length;
    this.waiting = Uint8Array.from({ length: count }, (_, k) => this.steps[k % this.steps.length]!.after.length);
    this.latest = new Float64Array(count);
  }

  /** Infinity where nothing is known to come. */
  get nextDueNs(): number {
    return Math.min(this.heap[0]?.dueNs ?? Number.POSITIVE_INFINITY, this.nextStartNs());
  }

  /** Nothing is due any more, and nothing under way could make it so. */
  get isOver(): boolean {
    return this.inFlight === 0 && this.nextDueNs === Number.POSITIVE_INFINITY;
  }

  sendNext(send: Send, again: () => void): void {
    const { sampleIndex, query, sessions } = this.plan;
    const { index, dueNs } = this.take();
    this.issued++;
    const done = (completedNs: number, ok: boolean): void => {
      this.completed(index, completedNs, ok);
      again();
    };
    // Payloads of sequences are made request by request (encoded.ts).
    send(sampleIndex[index]!, query[index]!, dueNs, done, sessions!.sequence ? index + 1 : 0);
  }

  /** The request that is due first. */
  take(): { readonly index: number; readonly dueNs: number } {
    while (this.nextStartNs() <= (this.heap[0]?.dueNs ?? Number.POSITIVE_INFINITY) && this.startSession());
    this.inFlight++;
    return this.pop();
  }

  /** A step that failed ends its session: nothing follows it. */
  completed(index: number, completedNs: number, ok: boolean): void {
    this.inFlight--;
    if (!ok) return;
    const step = index % this.steps.length;
    for (let later = step + 1; later < this.steps.length; later++) {
      if (!this.steps[later]!.after.includes(step)) continue;
      const k = index - step + later;
      this.latest[k] = Math.max(this.latest[k]!, completedNs);
      if (--this.waiting[k]! === 0) this.push(k, this.latest[k]! + this.steps[later]!.thinkNs);
    }
  }

  private nextStartNs(): number {
    const first = this.nextSession * this.steps.length;
    // A first step that thinks comes so much after the session: the earliest of those that wait for nobody counts.
    if (first >= this.plan.dueNs.length) return Number.POSITIVE_INFINITY;
    let earliest = Number.POSITIVE_INFINITY;
    for (let step = 0; step < this.steps.length; step++)
      if (this.steps[step]!.after.length === 0) earliest = Math.min(earliest, this.plan.dueNs[first + step]!);
    return earliest;
  }

  private startSession(): boolean {
    const first = this.nextSession++ * this.steps.length;
    for (let step = 0; step < this.steps.length; step++)
      if (this.steps[step]!.after.length === 0) this.push(first + step, this.plan.dueNs[first + step]!);
    return true;
  }

  private push(index: number, dueNs: number): void {
    const { heap } = this;
    heap.push({ index, dueNs });
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.before(at, parent)) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  private pop(): { readonly index: number; readonly dueNs: number } {
    const { heap } = this;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && this.before(child, least)) least = child;
      if (least === at) return first;
      this.swap(at, least);
      at = least;
    }
  }

  private before(a: number, b: number): boolean {
    const [x, y] = [this.heap[a]!, this.heap[b]!];
    return x.dueNs < y.dueNs || (x.dueNs === y.dueNs && x.index < y.index);
  }

  private swap(a: number, b: number): void {
    const { heap } = this;
    [heap[a], heap[b]] = [heap[b]!, heap[a]!];
  }
}
