import { checked, lookUp } from '../../results/lookup.js';
import { constant } from './constant.js';
import type { ArrivalDefinition } from './contract.js';
import { gamma } from './gamma.js';
import { mmpp } from './mmpp.js';
import { poisson } from './poisson.js';
import { ramp } from './ramp.js';
import { sine } from './sine.js';
import { spike } from './spike.js';
import { step } from './step.js';
import { expectedCount, scaledTo } from './support/exact.js';
import { trace } from './trace.js';

/** Every arrival process. One import and one line per addition. */
export const arrivals = [
  constant, // evenly spaced
  poisson, // independent users
  gamma, // a chosen variation
  mmpp, // calm and busy
  ramp, // growing
  step, // levels
  spike, // one short peak
  sine, // day and night
  trace, // recorded
] as const satisfies readonly ArrivalDefinition[];

/** The definition of that name. Throws UserError that lists all names. */
function arrivalNamed(name: string, place = 'arrivals'): ArrivalDefinition {
  return lookUp<ArrivalDefinition>(arrivals, name, 'arrival process', place);
}

/**
 * Due times that offer exactly the expected number of requests over exactly that time, so that two processes at one rate
 * differ in nothing but their burstiness; undefined for a recording, which is played as it is. Throws UserError where the
 * name or an option is wrong, or where there would be too many.
 */
export function exactArrivals(
  name: string,
  options: unknown,
  ratePerSecond: number,
  durationNs: number,
  seed: bigint,
  place = 'arrivals',
): Float64Array | undefined {
  const definition = arrivalNamed(name, place);
  if (definition.exact === 'recorded') return undefined;
  const parsed = checked(definition.options, options ?? {}, place);
  if (definition.exact) return definition.exact(parsed, ratePerSecond, durationNs, seed);
  const count = expectedCount(ratePerSecond, durationNs);
  return scaledTo(definition.create(parsed, ratePerSecond, seed), count, durationNs);
}

/** A gap function of that process. Throws UserError where the name or an option is wrong. */
export function createArrival(
  name: string,
  options: unknown,
  ratePerSecond: number,
  seed: bigint,
  place = 'arrivals',
): () => number {
  const definition = arrivalNamed(name, place);
  return definition.create(checked(definition.options, options ?? {}, place), ratePerSecond, seed);
}
