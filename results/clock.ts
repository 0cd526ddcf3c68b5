import { performance } from 'node:perf_hooks';

/**
 * The monotonic clock, in nanoseconds as a double (exact to 2^53 ns = 104 days after boot).
 *
 * `performance.now()` is a fast call without allocation, but every thread counts from its own origin; the offset to the
 * system's monotonic clock, found once per thread, makes readings of all threads of one process comparable. Across
 * processes only durations are exchanged. Error: the calibration's, below 1 µs.
 */
export function nowNs(): number {
  return performance.now() * 1e6 + OFFSET_NS;
}

const OFFSET_NS = calibrate();

/** The offset seen in the narrowest of several bracketed readings. */
function calibrate(): number {
  let narrowest = Number.POSITIVE_INFINITY;
  let offset = 0;
  for (let i = 0; i < 32; i++) {
    const before = performance.now();
    const monotonic = Number(process.hrtime.bigint());
    const after = performance.now();
    if (after - before >= narrowest) continue;
    narrowest = after - before;
    offset = monotonic - ((before + after) / 2) * 1e6;
  }
  return offset;
}
