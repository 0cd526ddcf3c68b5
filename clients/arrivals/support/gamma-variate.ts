import { canonicalDouble, type RandomSource } from '../../../results/stats/index.js';

/** A draw from the gamma distribution of that shape and scale 1. Source: Marsaglia and Tsang, ACM TOMS 26(3), 2000. */
export function gammaVariate(random: RandomSource, shape: number): number {
  // Below 1 the method does not hold: a draw of shape + 1, times u^(1/shape), has the distribution.
  if (shape < 1) return gammaVariate(random, shape + 1) * (1 - canonicalDouble(random)) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normalVariate(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - canonicalDouble(random)) < x * x * 0.5 + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Standard normal, by Box and Muller. */
function normalVariate(random: RandomSource): number {
  const radius = Math.sqrt(-2 * Math.log(1 - canonicalDouble(random)));
  return radius * Math.cos(2 * Math.PI * canonicalDouble(random));
}
