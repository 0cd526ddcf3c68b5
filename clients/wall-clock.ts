import { nowNs } from '../results/clock.js';

/** A reading of both clocks at the same instant. */
export interface ClockPair {
  readonly wallMs: number;
  readonly monotonicNs: number;
}

/** Both clocks where the wall clock ticks: spins for up to 1 ms, because `Date.now()` is no finer than that. */
export function readClocks(): ClockPair {
  const start = Date.now();
  let wallMs = start;
  while (wallMs === start) wallMs = Date.now();
  return { wallMs, monotonicNs: nowNs() };
}

/** (wall − monotonic) / monotonic between two readings; 0 for an empty span. */
export function clockDrift(from: ClockPair, to: ClockPair): number {
  const monotonic = to.monotonicNs - from.monotonicNs;
  return monotonic > 0 ? ((to.wallMs - from.wallMs) * 1e6 - monotonic) / monotonic : 0;
}
