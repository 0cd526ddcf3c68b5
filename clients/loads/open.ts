import { z } from 'zod';
import { rate } from '../../results/units.js';
import { arrivals } from '../arrivals/index.js';
import { sampleIndices } from '../schedule.js';
import { arrivalTimes, checkArrivalOptions } from './arrival-times.js';
import { defineLoad } from './contract.js';
import { drawMix, mixOption } from './mix.js';
import { OUTSTANDING_CAP, openPlan } from './open-plan.js';
import { countOption, durationOption, percentileOption, population, sampleOrderOption } from './presets.js';

/** Requests at a rate, whatever becomes of them. With `concurrency`, what the cap holds back shows as lateness. */
export const open = defineLoad({
  name: 'open',
  summary: 'Requests at a rate by any arrival process, whether or not earlier ones are answered',
  options: z
    .strictObject({
      rate: rate({ above: '0/s' }),
      arrivals: z.enum(arrivals.map((each) => each.name)).default('poisson'),
      arrivalOptions: z.record(z.string(), z.unknown()).default({}),
      duration: durationOption(),
      /** Exactly so many requests, however long it takes. */
      count: countOption().optional(),
      /**
       * `exact`: rate × duration requests over exactly the duration, whatever the process: two processes differ in their
       * burstiness only. `drawn`: as many as the process draws in that time (LoadGen's way; the `server` load has no other).
       */
      offered: z.enum(['exact', 'drawn']).default('exact'),
      concurrency: countOption().max(OUTSTANDING_CAP).default(OUTSTANDING_CAP),
      samples: sampleOrderOption(),
      percentile: percentileOption(),
      mix: mixOption(),
    })
    .superRefine(checkArrivalOptions),
  inFlight: ({ concurrency }) => concurrency,
  primary: { metric: 'p99Latency', percentile: 0.99 },
  plan(options, context) {
    const dueNs = arrivalTimes(options, context);
    const indices = sampleIndices(options.samples, context.sampleSeed, dueNs.length, population(context));
    const mix = drawMix(options.mix, context.sampleSeed, dueNs.length);
    return { ...openPlan(options.arrivals, dueNs, indices, options.concurrency), ...(mix ? { mix } : {}) };
  },
});
