/** How many requests a rate offers over a time: at least one. */
export function expectedCount(ratePerSecond: number, durationNs: number): number {
  return Math.max(1, Math.round((ratePerSecond * durationNs) / 1e9));
}

/**
 * `count` due times from 0 over exactly `durationNs`: gaps as drawn, all scaled by one factor, so that the last of them ends
 * with the time. Exponential gaps become Poisson's law given the count (uniform order statistics); of any others the
 * coefficient of variation and the order stay as they are, only the mean is made exact.
 */
export function scaledTo(nextGap: () => number, count: number, durationNs: number): Float64Array {
  const due = new Float64Array(count);
  let total = 0;
  for (let k = 0; k < count; k++) {
    due[k] = total;
    total += nextGap();
  }
  const factor = total > 0 ? durationNs / total : 0;
  for (let k = 0; k < count; k++) due[k] = Math.round(due[k]! * factor);
  return due;
}
