import type { Nanos } from '../strategies/index.js';
import { Histogram } from './histogram.js';

/** What happened in one stretch of the simulated time. */
export interface FleetWindow {
  readonly startNs: Nanos;
  readonly endNs: Nanos;
  readonly offered: number;
  readonly answered: number;
  readonly rejected: number;
  /** Answers within the objective. */
  readonly good: number;
  /** null where nothing was answered. */
  readonly p50Ns: number | null;
  readonly p99Ns: number | null;
  /** At the window's end. */
  readonly ready: number;
  readonly wanted: number;
  readonly inFlight: number;
}

/** The simulated time in equal windows: one histogram that is emptied at each border, so that memory does not grow with it. */
export class Timeline {
  readonly #windows: FleetWindow[] = [];
  readonly #latency = new Histogram();
  readonly #lengthNs: Nanos;
  #startNs: Nanos = 0;
  #borderNs: Nanos;
  #offered = 0;
  #rejected = 0;
  #good = 0;

  constructor(
    durationNs: Nanos,
    count: number,
    private readonly objectiveNs: Nanos,
  ) {
    this.#lengthNs = Number.isFinite(durationNs)
      ? Math.max(1, Math.ceil(durationNs / count))
      : Number.POSITIVE_INFINITY;
    this.#borderNs = this.#lengthNs;
  }

  /** Closes the windows that end before `now`. */
  advance(now: Nanos, ready: number, wanted: number, inFlight: number): void {
    while (now >= this.#borderNs) {
      this.#close(this.#borderNs, ready, wanted, inFlight);
      this.#borderNs += this.#lengthNs;
    }
  }

  offered(): void {
    this.#offered++;
  }

  rejected(): void {
    this.#rejected++;
  }

  answered(latencyNs: Nanos): void {
    this.#latency.add(latencyNs);
    if (latencyNs <= this.objectiveNs) this.#good++;
  }

  finish(now: Nanos, ready: number, wanted: number, inFlight: number): readonly FleetWindow[] {
    if (now > this.#startNs) this.#close(now, ready, wanted, inFlight);
    return this.#windows;
  }

  #close(endNs: Nanos, ready: number, wanted: number, inFlight: number): void {
    const some = this.#latency.count > 0;
    this.#windows.push({
      startNs: this.#startNs,
      endNs,
      offered: this.#offered,
      answered: this.#latency.count,
      rejected: this.#rejected,
      good: this.#good,
      p50Ns: some ? this.#latency.percentile(0.5) : null,
      p99Ns: some ? this.#latency.percentile(0.99) : null,
      ready,
      wanted,
      inFlight,
    });
    this.#startNs = endNs;
    this.#offered = 0;
    this.#rejected = 0;
    this.#good = 0;
    this.#latency.clear();
  }
}
