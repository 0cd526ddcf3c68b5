import { z } from 'zod';
import { defineLoad } from './contract.js';
import { drawSamples } from './draw.js';
import { CLOSED_INDICES, countOption, durationOption, PRESETS, sampleOrderOption } from './presets.js';
import { streamPlan } from './streams.js';

/** One request at a time. Source: MLPerf LoadGen SingleStream; its metric is the 90th percentile. */
export const singleStream = defineLoad({
  name: 'single-stream',
  summary: 'One request at a time, the next when it completes (MLPerf)',
  options: z.strictObject({
    duration: durationOption(),
    minQueries: countOption().optional(),
    maxQueries: countOption().optional(),
    samples: sampleOrderOption(),
  }),
  inFlight: () => 1,
  primary: { metric: 'p90Latency', percentile: 0.9 },
  plan(options, context) {
    const { duration: durationNs, maxQueries, samples: order } = options;
    const minQueries = options.minQueries ?? PRESETS[context.preset].minQueries.singleStream;
    const sampleIndex = drawSamples(context, { order, queries: CLOSED_INDICES, perQuery: 1, minQueries });
    return streamPlan({ perQuery: 1, durationNs, minQueries, maxQueries, sampleIndex }, context);
  },
});
