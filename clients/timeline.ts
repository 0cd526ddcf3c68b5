/** Time as the load loops see it: real (pacer.ts) or fake (tests). */
export interface Timeline {
  /** Monotonic ns. */
  now(): number;
  /**
   * Calls `wake` once, as soon as `now() >= atNs`, never earlier and never within this call. A time that has come means:
   * after pending input has been handled. Replaces an earlier wish.
   */
  wakeAt(atNs: number, wake: () => void): void;
  /** From now on wishes are for times of the schedule that it was made for, counted from this origin, one after the other; others cost more. */
  follow?(originNs: number): void;
}

/** A way to send requests: carries out a plan and tells when nothing more will be sent. */
export interface Loop {
  start(): void;
  /** Sends nothing more; requests in flight go on. The first reason counts. */
  stop(reason: string): void;
}

/** Sends one request. `kind`: its number in a mixed load, else 0. Due time and completion are ns from the loop's start; `done` may be called at once. */
export type Send = (
  sample: number,
  query: number,
  dueNs: number,
  done: (completedNs: number, ok: boolean) => void,
  kind: number,
) => void;

/** Sends without a pause for pending input at most so many requests: their answers' times must not suffer. */
export const BURST = 16;
