import { z } from 'zod';
import { defineSearch, type SearchContext, type Space } from './contract.js';
import { slopedMerit } from './merit.js';
import { pointAt, sizeOf } from './space.js';
import { allFeatures } from './support/features.js';
import { growingProcess, momentsOf } from './support/gaussian-process.js';
import { argmax, logOf, mostPromising, type Posterior, posteriorOver } from './support/surrogate.js';

/**
 * A tree over the dimensions, the one that the operator profile finds most sensitive at the root. From the root the branch
 * with the best upper confidence bound is taken, where branches start with what the profile says of them; once few points
 * are left below, expected improvement over the profile picks among them.
 */
export const falcon = defineSearch({
  name: 'falcon',
  summary: 'A tree search that starts from what the operator profile says of each configuration',
  source:
    'Wu et al., Falcon (SoCC 2022): key operators and their resource curves, Monte Carlo tree search with Bayesian optimisation. Ours takes the whole estimate from the profile instead of four typical curves; without a profile all branches start alike',
  options: z.strictObject({
    exploration: z.number().nonnegative().default(0.5).describe('weight of the confidence term'),
    leaf: z
      .number()
      .int()
      .min(2)
      .default(48)
      .describe('points below a branch at which expected improvement takes over'),
  }),
  *create({ exploration, leaf }, context) {
    const { space } = context;
    const features = allFeatures(space);
    const process = growingProcess(features);
    const believed = beliefs(context);
    const order = bySensitivity(space, believed);
    const seen: { number: number; value: number }[] = [];
    const left = new Set(features.keys());
    let number = argmax([...left], (each) => believed[each]!);
    for (;;) {
      seen.push({ number, value: logOf(slopedMerit(yield pointAt(space, number))) });
      process.measure(number);
      left.delete(number);
      if (left.size === 0) return;
      const candidates = [...left];
      const posterior = posteriorOver(process, seen, candidates, calibrated(believed, seen));
      number = descend(space, order, candidates, seen, posterior, { exploration, leaf });
    }
  },
});

/** Standardised logarithm of the estimate at every point; 0 everywhere without one. */
function beliefs({ space, estimate }: SearchContext): Float64Array {
  const size = sizeOf(space);
  if (!estimate) return new Float64Array(size);
  const logs = Array.from({ length: size }, (_, number) => logOf(estimate(pointAt(space, number))));
  const { mean, sd } = momentsOf(logs);
  return Float64Array.from(logs, (value) => (value - mean) / sd);
}

/** Dimensions by how much the belief changes along them, the most first. */
function bySensitivity(space: Space, believed: Float64Array): number[] {
  const spread = space.dimensions.map(({ values }, d) => {
    const means = values.map((_, value) => {
      let sum = 0;
      for (let number = 0; number < believed.length; number++)
        if (pointAt(space, number)[d] === value) sum += believed[number]!;
      return sum / (believed.length / values.length);
    });
    return Math.max(...means) - Math.min(...means);
  });
  return spread.map((_, d) => d).sort((a, b) => spread[b]! - spread[a]! || a - b);
}

/** The belief on the scale of what was measured: level and scale by least squares, the scale never below a tenth. */
function calibrated(
  believed: Float64Array,
  seen: readonly { readonly number: number; readonly value: number }[],
): (number: number) => number {
  const x = momentsOf(seen.map(({ number }) => believed[number]!));
  const y = momentsOf(seen.map(({ value }) => value));
  let product = 0;
  for (const { number, value } of seen) product += (believed[number]! - x.mean) * (value - y.mean);
  const scale = seen.length < 3 ? 1 : Math.max(0.1, product / seen.length / (x.sd * x.sd));
  return (number) => y.mean + scale * (believed[number]! - x.mean);
}

/** The most promising point below the branch that upper confidence bounds lead to. */
function descend(
  space: Space,
  order: readonly number[],
  candidates: readonly number[],
  seen: readonly { readonly number: number }[],
  { mean, sd, best }: Posterior,
  { exploration, leaf }: { readonly exploration: number; readonly leaf: number },
): number {
  let below = candidates.map((number, index) => ({ point: pointAt(space, number), number, index }));
  let visited = seen.map(({ number }) => pointAt(space, number));
  for (const d of order) {
    if (below.length <= leaf) break;
    const values = [...new Set(below.map(({ point }) => point[d]!))].sort((a, b) => a - b);
    const chosen = argmax(values, (value) => {
      const visits = visited.filter((point) => point[d] === value).length;
      const promise = Math.max(...below.filter(({ point }) => point[d] === value).map(({ index }) => mean[index]!));
      return promise + exploration * Math.sqrt(Math.log(1 + visited.length) / (1 + visits));
    });
    below = below.filter(({ point }) => point[d] === chosen);
    visited = visited.filter((point) => point[d] === chosen);
  }
  const pick = (values: Float64Array) => Float64Array.from(below, ({ index }) => values[index]!);
  return mostPromising(
    below.map(({ number }) => number),
    { mean: pick(mean), sd: pick(sd), best },
  );
}
