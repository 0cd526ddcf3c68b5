import { z } from 'zod';
import { defineLoad } from './contract.js';
import { drawSamples } from './draw.js';
import { CLOSED_INDICES, countOption, durationOption, PRESETS, sampleOrderOption } from './presets.js';
import { streamPlan } from './streams.js';

/** Eight samples a query, which is done when its slowest is. Source: MLPerf LoadGen MultiStream; metric: 99th percentile. */
export const multiStream = defineLoad({
  name: 'multi-stream',
  summary: 'One query of 8 samples at a time, the next when all have completed (MLPerf)',
  options: z.strictObject({
    duration: durationOption(),
    samplesPerQuery: countOption().max(1024, { error: 'must be at most 1024' }).default(8),
    minQueries: countOption().optional(),
    maxQueries: countOption().optional(),
    samples: sampleOrderOption(),
  }),
  inFlight: () => 1,
  primary: { metric: 'p99Latency', percentile: 0.99 },
  plan(options, context) {
    const { samplesPerQuery: perQuery, samples: order } = options;
    const queries = Math.ceil(CLOSED_INDICES / perQuery);
    const minQueries = options.minQueries ?? PRESETS[context.preset].minQueries.multiStream;
    const sampleIndex = drawSamples(context, { order, queries, perQuery, minQueries });
    const { duration: durationNs, maxQueries } = options;
    return streamPlan({ perQuery, durationNs, minQueries, maxQueries, sampleIndex }, context);
  },
});
