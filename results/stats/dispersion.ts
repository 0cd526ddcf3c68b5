/** Counts in windows of one length: variance / mean. 1 for Poisson at every length, 0 for a metronome. */
export interface Dispersion {
  readonly windowNs: number;
  /** Whole windows within the span. */
  readonly windows: number;
  readonly meanCount: number;
  readonly index: number;
}

/**
 * The index of dispersion of counts of ascending times, over the whole windows within [from, to]; undefined where fewer
 * than ten fit, or nothing falls into them. Source: Cox and Lewis 1966, "The Statistical Analysis of Series of Events".
 */
export function dispersion(
  times: ArrayLike<number>,
  windowNs: number,
  fromNs: number,
  toNs: number,
): Dispersion | undefined {
  const windows = Math.floor((toNs - fromNs) / windowNs);
  if (!(windows >= LEAST_WINDOWS) || windows > MOST_WINDOWS) return undefined;
  const counts = new Uint32Array(windows);
  for (let i = 0; i < times.length; i++) {
    const window = Math.floor((times[i]! - fromNs) / windowNs);
    if (window >= 0 && window < windows) counts[window]!++;
  }
  const meanCount = counts.reduce((sum, count) => sum + count, 0) / windows;
  if (meanCount === 0) return undefined;
  let squares = 0;
  for (const count of counts) squares += (count - meanCount) ** 2;
  return { windowNs, windows, meanCount, index: squares / (windows - 1) / meanCount };
}

const LEAST_WINDOWS = 10;
const MOST_WINDOWS = 2 ** 27;
