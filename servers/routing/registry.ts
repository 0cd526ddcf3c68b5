import { checked, lookUp } from '../../results/lookup.js';
import type { Route, RouteDefinition } from './contract.js';
import { ab } from './routes/ab.js';
import { all } from './routes/all.js';
import { canary } from './routes/canary.js';
import { shadow } from './routes/shadow.js';

/** Every route of a gateway. One import and one line per addition. */
export const routes = [
  all, // one pool
  ab, // two, by user
  canary, // two, a growing share
  shadow, // one answers, one gets copies
] as const satisfies readonly RouteDefinition[];

/** A new route of that name. Throws UserError where the name or an option is wrong. */
export function createRoute(name: string, options: unknown, pools: readonly string[]): Route {
  const definition = lookUp<RouteDefinition>(routes, name, 'route');
  return definition.create(checked(definition.options, options, `route.${name}`), pools);
}
