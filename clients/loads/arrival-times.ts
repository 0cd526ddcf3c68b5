import type { z } from 'zod';
import { problemsOf } from '../../results/lookup.js';
import { arrivals, createArrival, exactArrivals } from '../arrivals/index.js';
import { dueTimes, requireFewEnough } from '../schedule.js';
import type { LoadContext } from './contract.js';
import { PRESETS } from './presets.js';

interface ArrivalOptions {
  readonly rate: number;
  readonly arrivals: string;
  readonly arrivalOptions: Readonly<Record<string, unknown>>;
  readonly duration?: number | undefined;
  readonly count?: number | undefined;
  readonly offered: 'exact' | 'drawn';
}

/** Due times of an open load: exact, or as the process draws them. Throws UserError. */
export function arrivalTimes(options: ArrivalOptions, { scheduleSeed, preset }: LoadContext): Float64Array {
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
export function checkArrivalOptions(
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
