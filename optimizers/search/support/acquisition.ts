/** Standard normal density. */
function density(z: number): number {
  return Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
}

/**
 * Standard normal distribution function, absolute error below 7.5e-8.
 * Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.17.
 */
export function normalCdf(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const poly = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const upper = density(z) * poly;
  return z >= 0 ? 1 - upper : upper;
}

/**
 * Expected improvement over `best` of a value that is normal with this mean and sd (larger is better).
 * Source: Jones, Schonlau and Welch, Efficient global optimization (1998).
 */
export function expectedImprovement(mean: number, sd: number, best: number): number {
  if (sd <= 0) return Math.max(0, mean - best);
  const z = (mean - best) / sd;
  return (mean - best) * normalCdf(z) + sd * density(z);
}

/** Probability that a normal value is 0 or less. */
export function probabilityKept(mean: number, sd: number): number {
  return sd > 0 ? normalCdf(-mean / sd) : Number(mean <= 0);
}
