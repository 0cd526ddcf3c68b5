import { z } from 'zod';
import { rate } from '../../results/units.js';
import { createArrival } from '../arrivals/index.js';
import { dueTimes } from '../schedule.js';
import { defineLoad } from './contract.js';
import { drawSamples } from './draw.js';
import { drawMix, mixOption } from './mix.js';
import { OUTSTANDING_CAP, openPlan } from './open-plan.js';
import { countOption, durationOption, PRESETS, sampleOrderOption } from './presets.js';

/** Independent users at a rate. Source: MLPerf LoadGen Server: Poisson arrivals, bit-compatible, p99 within a bound. */
export const server = defineLoad({
  name: 'server',
  summary: 'Independent users: Poisson arrivals at a rate (MLPerf)',
  options: z.strictObject({
    rate: rate({ above: '0/s' }),
    duration: durationOption(),
    minQueries: countOption().optional(),
    maxQueries: countOption().optional(),
    /** At most so many in flight; what it holds back shows as lateness. */
    concurrency: countOption().max(OUTSTANDING_CAP).default(OUTSTANDING_CAP),
    samples: sampleOrderOption(),
    mix: mixOption(),
  }),
  inFlight: ({ concurrency }) => concurrency,
  primary: { metric: 'targetRate', percentile: 0.99 },
  plan(options, context) {
    const preset = PRESETS[context.preset];
    const minQueries = options.minQueries ?? preset.minQueries.server;
    const dueNs = dueTimes(createArrival('poisson', {}, options.rate, context.scheduleSeed), {
      durationNs: options.duration ?? preset.durationNs,
      minCount: minQueries,
      maxCount: options.maxQueries,
    });
    const indices = drawSamples(context, { order: options.samples, queries: dueNs.length, perQuery: 1, minQueries });
    const mix = drawMix(options.mix, context.sampleSeed, dueNs.length);
    return { ...openPlan('poisson', dueNs, indices, options.concurrency), ...(mix ? { mix } : {}) };
  },
});
