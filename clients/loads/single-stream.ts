import { z } from 'zod';
import { sampleIndices } from '../schedule.js';
import { defineLoad } from './contract.js';
import { CLOSED_INDICES, countOption, durationOption, PRESETS, population, sampleOrderOption } from './presets.js';
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
  plan: (options, context) =>
    streamPlan(
      {
        perQuery: 1,
        durationNs: options.duration,
        minQueries: options.minQueries ?? PRESETS[context.preset].minQueries.singleStream,
        maxQueries: options.maxQueries,
        sampleIndex: sampleIndices(options.samples, context.sampleSeed, CLOSED_INDICES, population(context)),
      },
      context,
    ),
});
