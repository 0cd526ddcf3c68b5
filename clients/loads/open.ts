import { z } from 'zod';
import { rate } from '../../results/units.js';
import { createArrival } from '../arrivals/index.js';
import { dueTimes, sampleIndices } from '../schedule.js';
import { defineLoad } from './contract.js';
import { OUTSTANDING_CAP, openPlan } from './open-plan.js';
import { countOption, durationOption, PRESETS, population, sampleOrderOption } from './presets.js';

/** Requests at a rate, whatever becomes of them. With `concurrency`, what the cap holds back shows as lateness. */
export const open = defineLoad({
  name: 'open',
  summary: 'Requests at a rate by any arrival process, whether or not earlier ones are answered',
  options: z.strictObject({
    rate: rate().refine((perSecond) => perSecond > 0, { error: 'must be above 0/s' }),
    arrivals: z.string().default('poisson'),
    arrivalOptions: z.record(z.string(), z.unknown()).default({}),
    duration: durationOption(),
    /** Exactly so many requests, however long it takes. */
    count: countOption().optional(),
    concurrency: countOption().max(OUTSTANDING_CAP).default(OUTSTANDING_CAP),
    samples: sampleOrderOption(),
  }),
  primary: { metric: 'p99Latency', percentile: 0.99 },
  plan(options, context) {
    const gaps = createArrival(
      options.arrivals,
      options.arrivalOptions,
      options.rate,
      context.scheduleSeed,
      'arrivals',
    );
    const { count } = options;
    const durationNs = options.duration ?? (count === undefined ? PRESETS[context.preset].durationNs : 0);
    const dueNs = dueTimes(gaps, { durationNs, minCount: count ?? 1, maxCount: count });
    const indices = sampleIndices(options.samples, context.sampleSeed, dueNs.length, population(context));
    return openPlan(options.arrivals, dueNs, indices, options.concurrency);
  },
});
