import { z } from 'zod';
import { sampleIndices } from '../schedule.js';
import { defineLoad } from './contract.js';
import { drawMix, mixOption } from './mix.js';
import { CLOSED_INDICES, countOption, durationOption, PRESETS, population, sampleOrderOption } from './presets.js';

/** A fixed number of users, each of whom asks again when answered. Finds capacity; says nothing about an open world's tail. */
export const closed = defineLoad({
  name: 'closed',
  summary: 'A fixed number of requests in flight, each replaced when it completes',
  options: z.strictObject({
    concurrency: countOption().max(10_000, { error: 'must be at most 10000' }).default(1),
    duration: durationOption(),
    maxRequests: countOption().optional(),
    samples: sampleOrderOption(),
    mix: mixOption(),
  }),
  inFlight: ({ concurrency }) => concurrency,
  primary: { metric: 'throughput', percentile: null },
  plan(options, context) {
    const durationNs = options.duration ?? PRESETS[context.preset].durationNs;
    const mix = drawMix(options.mix, context.sampleSeed, CLOSED_INDICES);
    return {
      ...(mix ? { mix } : {}),
      mode: 'closed',
      concurrency: options.concurrency,
      perQuery: 1,
      sampleIndex: sampleIndices(options.samples, context.sampleSeed, CLOSED_INDICES, population(context)),
      minDurationNs: durationNs,
      minQueries: 1,
      maxDurationNs: durationNs,
      maxQueries: options.maxRequests ?? Number.POSITIVE_INFINITY,
    };
  },
});
