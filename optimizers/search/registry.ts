import { checked, lookUp } from '../../results/lookup.js';
import { bayesian } from './bayesian.js';
import type { Search, SearchContext, SearchDefinition } from './contract.js';
import { falcon } from './falcon.js';
import { grid } from './grid.js';
import { hillClimb } from './hill-climb.js';
import { morphling } from './morphling.js';
import { nsga2 } from './nsga2.js';
import { random } from './random.js';

/** Every search. One import and one line per addition. */
export const searches = [
  grid, // all of it
  random, // the yardstick
  hillClimb, // Model Analyzer's quick mode
  bayesian, // Gaussian process
  morphling, // other models' tables
  falcon, // the operator profile
  nsga2, // several objectives
] as const satisfies readonly SearchDefinition[];

/** The definition of that name. Throws UserError that lists all names. */
export function searchNamed(name: string, place = 'search'): SearchDefinition {
  return lookUp<SearchDefinition>(searches, name, 'search', place);
}

/** A search of that name over a space. Throws UserError where the name or an option is wrong. */
export function createSearch(name: string, options: unknown, context: SearchContext, place = 'search'): Search {
  const definition = searchNamed(name, place);
  return definition.create(checked(definition.options, options ?? {}, place), context);
}
