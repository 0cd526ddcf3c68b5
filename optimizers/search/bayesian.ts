import { z } from 'zod';
import { defineSearch, type Search } from './contract.js';
import { pointAt } from './space.js';
import { spreadDesign } from './support/design.js';
import { allFeatures } from './support/features.js';
import { growingProcess } from './support/gaussian-process.js';
import { type Observation, proposeConstrained } from './support/surrogate.js';

export const bayesian = defineSearch({
  name: 'bayesian',
  summary: 'A Gaussian process guesses objective and constraints; the greatest expected improvement is tried next',
  source: 'Jones, Schonlau and Welch 1998; constraints by Gardner et al. 2014; Matérn 5/2, names one-hot',
  options: z.strictObject({
    initial: z.number().int().min(2).default(4).describe('points far from each other before the process guides'),
  }),
  *create({ initial }, { space, random }) {
    const features = allFeatures(space);
    const process = growingProcess(features);
    const seen: Observation[] = [];
    const left = new Set(features.keys());
    for (const number of spreadDesign(features, initial, random)) yield* look(number);
    while (left.size > 0) yield* look(proposeConstrained(process, seen, [...left]));

    function* look(number: number): Search {
      seen.push({ number, evaluation: yield pointAt(space, number) });
      process.measure(number);
      left.delete(number);
    }
  },
});
