import { z } from 'zod';
import { UserError } from '../../results/errors.js';
import { rate } from '../../results/units.js';
import { createArrival } from '../arrivals/index.js';
import { dueTimes } from '../schedule.js';
import { defineLoad } from './contract.js';
import { drawSamples } from './draw.js';
import { drawMix, mixOption } from './mix.js';
import { OUTSTANDING_CAP, openPlan } from './open-plan.js';
import { countOption, durationOption, PRESETS, percentileOption, sampleOrderOption } from './presets.js';

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
    /** MLPerf's presets know p99 only. */
    percentile: percentileOption(),
    mix: mixOption(),
  }),
  inFlight: ({ concurrency }) => concurrency,
  primary: { metric: 'targetRate', percentile: 0.99 },
  plan(options, context) {
    const preset = PRESETS[context.preset];
    if (options.percentile !== 'p99' && context.preset !== 'quick')
      throw new UserError({
        place: 'server.percentile',
        found: `${options.percentile} under the preset ${context.preset}`,
        allowed: 'p99, as in MLPerf',
        remedy: 'Leave percentile out, or take the preset quick',
      });
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
