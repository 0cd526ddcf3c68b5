import { checked, lookUp } from '../../results/lookup.js';
import { constant } from './constant.js';
import type { ArrivalDefinition } from './contract.js';
import { poisson } from './poisson.js';

/** Every arrival process. One import and one line per addition. */
export const arrivals = [constant, poisson] as const satisfies readonly ArrivalDefinition[];

/** The definition of that name. Throws UserError that lists all names. */
function arrivalNamed(name: string, place = 'arrivals'): ArrivalDefinition {
  return lookUp<ArrivalDefinition>(arrivals, name, 'arrival process', place);
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
