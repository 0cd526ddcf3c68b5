import { z } from 'zod';
import { rate } from '../../results/units.js';
import { createArrival } from '../arrivals/index.js';
import { dueTimes, sampleIndices } from '../schedule.js';
import { defineLoad } from './contract.js';
import { openPlan } from './open-plan.js';
import { countOption, durationOption, PRESETS, population, sampleOrderOption } from './presets.js';

/** Independent users at a rate. Source: MLPerf LoadGen Server: Poisson arrivals, bit-compatible, p99 within a bound. */
export const server = defineLoad({
  name: 'server',
  summary: 'Independent users: Poisson arrivals at a rate (MLPerf)',
  options: z.strictObject({
    rate: rate().refine((perSecond) => perSecond > 0, { error: 'must be above 0/s' }),
    duration: durationOption(),
    minQueries: countOption().optional(),
    maxQueries: countOption().optional(),
    samples: sampleOrderOption(),
  }),
  primary: { metric: 'targetRate', percentile: 0.99 },
  plan(options, context) {
    const preset = PRESETS[context.preset];
    const dueNs = dueTimes(createArrival('poisson', {}, options.rate, context.scheduleSeed), {
      durationNs: options.duration ?? preset.durationNs,
      minCount: options.minQueries ?? preset.minQueries.server,
      maxCount: options.maxQueries,
    });
    const indices = sampleIndices(options.samples, context.sampleSeed, dueNs.length, population(context));
    return openPlan('poisson', dueNs, indices);
  },
});
