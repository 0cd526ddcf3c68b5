import { z } from 'zod';
import { problemsOf } from '../../results/lookup.js';
import { rate } from '../../results/units.js';
import { arrivals, createArrival } from '../arrivals/index.js';
import { dueTimes, sampleIndices } from '../schedule.js';
import { defineLoad } from './contract.js';
import { OUTSTANDING_CAP, openPlan } from './open-plan.js';
import { countOption, durationOption, PRESETS, population, sampleOrderOption } from './presets.js';

/** Requests at a rate, whatever becomes of them. With `concurrency`, what the cap holds back shows as lateness. */
export const open = defineLoad({
  name: 'open',
  summary: 'Requests at a rate by any arrival process, whether or not earlier ones are answered',
  options: z
    .strictObject({
      rate: rate().refine((perSecond) => perSecond > 0, { error: 'must be above 0/s' }),
      arrivals: z.enum(arrivals.map((each) => each.name)).default('poisson'),
      arrivalOptions: z.record(z.string(), z.unknown()).default({}),
      duration: durationOption(),
      /** Exactly so many requests, however long it takes. */
      count: countOption().optional(),
      concurrency: countOption().max(OUTSTANDING_CAP).default(OUTSTANDING_CAP),
      samples: sampleOrderOption(),
    })
    .superRefine(checkArrivalOptions),
  inFlight: ({ concurrency }) => concurrency,
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

/** Options of the process are known only with its name; wrong ones are to be told with the rest of the load. */
function checkArrivalOptions(
  options: { readonly arrivals: string; readonly arrivalOptions: Readonly<Record<string, unknown>> },
  context: z.RefinementCtx,
): void {
  const definition = arrivals.find((each) => each.name === options.arrivals);
  const parsed = definition?.options.safeParse(options.arrivalOptions, { reportInput: true });
  if (!definition || !parsed || parsed.success) return;
  for (const { place, found, allowed } of problemsOf(parsed.error, [], (path) => path.join('.'), definition.options))
    context.addIssue({
      code: 'custom',
      path: ['arrivalOptions', ...place.split('.').filter((part) => part !== '')],
      message: allowed === undefined ? found : `${found}; allowed: ${allowed}`,
    });
}
