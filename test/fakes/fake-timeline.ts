import type { Timeline } from '../../clients/timeline.js';

/** Time that jumps from event to event. `wakeAt` keeps one wish, as the real one does; `at` is for the fake's own events. */
export class FakeTimeline implements Timeline {
  private time = 0;
  private events: { at: number; order: number; run: () => void }[] = [];
  private order = 0;
  private wish: { at: number; run: () => void } | undefined;

  now(): number {
    return this.time;
  }

  wakeAt(atNs: number, wake: () => void): void {
    const wish = { at: atNs, run: wake };
    this.wish = wish;
    this.at(atNs, () => {
      if (this.wish === wish) wish.run();
    });
  }

  at(atNs: number, run: () => void): void {
    this.events.push({ at: Math.max(atNs, this.time), order: this.order++, run });
  }

  /** Until nothing is left to happen. */
  run(): void {
    for (;;) {
      this.events.sort((a, b) => b.at - a.at || b.order - a.order);
      const next = this.events.pop();
      if (!next) return;
      this.time = next.at;
      next.run();
    }
  }
}
