import { type RandomSource, uniformInt } from '../../../results/stats/index.js';

/**
 * Numbers of `count` points that lie far from each other: each the farthest from those before, of some drawn at random.
 * Source: best-candidate sampling (Mitchell 1991).
 */
export function spreadDesign(features: readonly Float64Array[], count: number, random: RandomSource): number[] {
  const chosen: number[] = [uniformInt(random, features.length)];
  while (chosen.length < Math.min(count, features.length)) {
    let farthest = -1;
    let greatest = -1;
    for (let draw = 0; draw < CANDIDATES; draw++) {
      const candidate = uniformInt(random, features.length);
      const distance = Math.min(...chosen.map((other) => squared(features[candidate]!, features[other]!)));
      if (distance > greatest) {
        greatest = distance;
        farthest = candidate;
      }
    }
    if (greatest > 0) chosen.push(farthest);
    else chosen.push(features.findIndex((_, number) => !chosen.includes(number)));
  }
  return chosen;
}

const CANDIDATES = 32;

function squared(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k]! - b[k]!) ** 2;
  return sum;
}
