import type { Interval } from '../summary.js';

/** Wilson's 95 % score interval of a share: stays inside [0, 1] and is honest at 0 of n. Source: Wilson 1927. */
export function wilson(successes: number, total: number): Interval {
  if (total === 0) return { low: 0, high: 1, level: 0.95 };
  const share = successes / total;
  const scale = 1 + Z ** 2 / total;
  const centre = (share + Z ** 2 / (2 * total)) / scale;
  const half = (Z / scale) * Math.sqrt((share * (1 - share)) / total + Z ** 2 / (4 * total * total));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half), level: 0.95 };
}

/** The normal distribution's 97.5 % point (simple-statistics' probit is off in its third digit). */
const Z = 1.959963984540054;
