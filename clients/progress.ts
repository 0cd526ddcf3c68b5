import type { DriveProgress } from './job.js';
import type { Live } from './live.js';

const PERIOD_MS = 250;
const TICKS_A_SECOND = 1000 / PERIOD_MS;

/** Tells four times a second where a drive stands. */
export class ProgressReporter {
  private phase: DriveProgress['phase'] = 'preparing';
  private live: Live | undefined;
  private fraction: () => number = () => 0;
  /** Completions and latencies at the last ticks, oldest first. */
  private recent: { readonly atMs: number; readonly completed: number; readonly latencies: Uint32Array | undefined }[] =
    [];
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly emit: (progress: DriveProgress) => void) {
    this.timer = setInterval(() => this.tick(), PERIOD_MS);
    this.timer.unref();
    this.tick();
  }

  /** A new phase starts: what it counts, and how far it is (0…1). */
  enter(phase: DriveProgress['phase'], live: Live, fraction: (live: Live) => number = () => 0): void {
    if (live !== this.live) this.recent = [];
    this.phase = phase;
    this.live = live;
    this.fraction = () => Math.min(1, Math.max(0, fraction(live)));
    this.tick();
  }

  close(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    const { live, phase } = this;
    const completed = live?.completed ?? 0;
    const atMs = performance.now();
    this.recent.push({ atMs, completed, latencies: live?.counts() });
    if (this.recent.length > TICKS_A_SECOND + 1) this.recent.shift();
    // A change of phase tells between two ticks: the clock says how long it is, not the count of ticks.
    const { atMs: beforeMs, completed: before, latencies } = this.recent[0]!;
    const seconds = (atMs - beforeMs) / 1000;
    this.emit({
      kind: 'progress',
      phase,
      fraction: this.fraction(),
      issued: live?.issued ?? 0,
      completed,
      errors: live?.errors ?? 0,
      ratePerSecond: seconds > 0 ? (completed - before) / seconds : 0,
      p99Ns: live?.p99Ns() ?? null,
      recent: latencies && live?.since(latencies),
      bound: live?.boundNs === undefined ? undefined : { ...live.bound },
    });
  }
}
