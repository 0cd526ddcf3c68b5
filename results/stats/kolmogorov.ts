/**
 * The Kolmogorov–Smirnov distance of two samples, sup |F − G|, both ascending. With a `tolerance` only what cannot be
 * undone by moving values that far counts (Lévy's idea): jitter below it is no difference of law. In [0, 1]; NaN where a
 * sample is empty. Source: Smirnov 1939.
 */
export function kolmogorovDistance(a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 0): number {
  if (a.length === 0 || b.length === 0) return Number.NaN;
  return Math.max(above(a, b, tolerance), above(b, a, tolerance));
}

/** The distance of an ascending sample from a continuous law. Source: Kolmogorov 1933. */
export function kolmogorovDistanceTo(sorted: ArrayLike<number>, cdf: (value: number) => number): number {
  const n = sorted.length;
  let distance = n === 0 ? Number.NaN : 0;
  for (let i = 0; i < n; i++) {
    const share = cdf(sorted[i]!);
    distance = Math.max(distance, (i + 1) / n - share, share - i / n);
  }
  return distance;
}

/** P[√n · D > λ] for large n: 2 Σ (−1)^(k−1) exp(−2k²λ²). */
export function kolmogorovTail(lambda: number): number {
  if (lambda < 0.3) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k++) {
    const term = Math.exp(-2 * k * k * lambda * lambda);
    sum += k % 2 === 1 ? term : -term;
    if (term < 1e-16) break;
  }
  return Math.min(1, Math.max(0, 2 * sum));
}

/** sup over t of F_a(t) − F_b(t + tolerance): it is reached at a value of a. */
function above(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number): number {
  let distance = 0;
  let k = 0;
  for (let i = 0; i < a.length; i++) {
    // Of equal values only the last one's rank is F.
    if (i + 1 < a.length && a[i + 1] === a[i]) continue;
    while (k < b.length && b[k]! <= a[i]! + tolerance) k++;
    distance = Math.max(distance, (i + 1) / a.length - k / b.length);
  }
  return distance;
}
