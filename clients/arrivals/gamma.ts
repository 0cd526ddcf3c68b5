import { z } from 'zod';
import { Mt19937 } from '../../results/stats/index.js';
import { defineArrival } from './contract.js';
import { gammaVariate } from './support/gamma-variate.js';

/** Independent gamma gaps. The coefficient of variation is theirs: below 1 steadier than Poisson, above 1 burstier. */
export const gamma = defineArrival({
  name: 'gamma',
  summary: 'Independent gaps of a chosen coefficient of variation: 1 is Poisson, more is burstier',
  options: z.strictObject({ cv: z.number().min(0.01).max(20).default(2) }),
  create({ cv }, ratePerSecond, seed) {
    const random = new Mt19937(seed);
    const shape = 1 / (cv * cv);
    const scaleNs = 1e9 / ratePerSecond / shape;
    return () => Math.round(gammaVariate(random, shape) * scaleNs);
  },
});
