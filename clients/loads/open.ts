import { z } from 'zod';
import { problemsOf } from '../../results/lookup.js';
import { rate } from '../../results/units.js';
import { arrivals, createArrival, exactArrivals } from '../arrivals/index.js';
import { dueTimes, requireFewEnough, sampleIndices } from '../schedule.js';
import { defineLoad, type LoadContext } from './contract.js';
import { drawMix, mixOption } from './mix.js';
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
      /**
       * `exact`: rate × duration requests over exactly the duration, whatever the process: two processes differ in their
       * burstiness only. `drawn`: as many as the process draws in that time (LoadGen's way; the `server` load has no other).
       */
      offered: z.enum(['exact', 'drawn']).default('exact'),
      concurrency: countOption().max(OUTSTANDING_CAP).default(OUTSTANDING_CAP),
      samples: sampleOrderOption(),
      mix: mixOption(),
    })
    .superRefine(checkArrivalOptions),
  inFlight: ({ concurrency }) => concurrency,
  primary: { metric: 'p99Latency', percentile: 0.99 },
  plan(options, context) {
    const dueNs = dueTimesOf(options, context);
    const indices = sampleIndices(options.samples, context.sampleSeed, dueNs.length, population(context));
    const mix = drawMix(options.mix, context.sampleSeed, dueNs.length);
    return { ...openPlan(options.arrivals, dueNs, indices, options.concurrency), ...(mix ? { mix } : {}) };
  },
});

interface OpenOptions {
  readonly rate: number;
  readonly arrivals: string;
  readonly arrivalOptions: Readonly<Record<string, unknown>>;
  readonly duration?: number | undefined;
  readonly count?: number | undefined;
  readonly offered: 'exact' | 'drawn';
}

function dueTimesOf(options: OpenOptions, { scheduleSeed, preset }: LoadContext): Float64Array {
  const { count, arrivals: name, arrivalOptions, rate: perSecond } = options;
  const durationNs = options.duration ?? (count === undefined ? PRESETS[preset].durationNs : 0);
  if (options.offered === 'exact' && count === undefined) {
    requireFewEnough((perSecond * durationNs) / 1e9);
    const exact = exactArrivals(name, arrivalOptions, perSecond, durationNs, scheduleSeed);
    if (exact) return exact;
  }
  const gaps = createArrival(name, arrivalOptions, perSecond, scheduleSeed);
  return dueTimes(gaps, { durationNs, minCount: count ?? 1, maxCount: count });
}

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
