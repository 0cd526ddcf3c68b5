import { z } from 'zod';
import { UserError } from '../../results/errors.js';
import { rate } from '../../results/units.js';
import { MAX_REQUESTS } from '../schedule.js';
import { defineLoad } from './contract.js';
import { drawSamples } from './draw.js';
import { countOption, durationOption, PRESETS } from './presets.js';

/**
 * Everything at once: one query that holds max(minSamples, 1.1 · duration · expectedRate) samples, due at 0; the set is
 * repeated in order. `concurrency` requests are on their way at a time. Source: MLPerf LoadGen Offline.
 */
export const offline = defineLoad({
  name: 'offline',
  summary: 'All samples at once, as fast as the system works them off (MLPerf)',
  options: z.strictObject({
    minSamples: countOption().optional(),
    /** Samples per second that the system is expected to reach; sizes the query so that it lasts the duration. */
    expectedRate: rate().optional(),
    duration: durationOption(),
    samples: z.enum(['sequential', 'same']).default('sequential'),
    concurrency: countOption().max(10_000, { error: 'must be at most 10000' }).default(64),
  }),
  inFlight: ({ concurrency }) => concurrency,
  primary: { metric: 'throughput', percentile: null },
  plan(options, context) {
    const preset = PRESETS[context.preset];
    const durationNs = options.duration ?? preset.durationNs;
    const expected = Math.ceil((1.1 * durationNs * (options.expectedRate ?? 0)) / 1e9);
    const count = Math.max(options.minSamples ?? preset.offlineSamples, expected);
    if (count > MAX_REQUESTS)
      throw new UserError({
        place: 'offline',
        found: `${count.toLocaleString('en-US')} samples`,
        allowed: `at most ${MAX_REQUESTS.toLocaleString('en-US')}`,
        remedy: 'Lower expectedRate, duration or minSamples',
      });
    return {
      mode: 'open',
      dueNs: new Float64Array(count),
      sampleIndex: drawSamples(context, { order: options.samples, queries: count, perQuery: 1, minQueries: 1 }),
      query: new Uint32Array(count),
      cap: options.concurrency,
      latenessExpected: true,
    };
  },
});
