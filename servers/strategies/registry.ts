import { UserError } from '../../results/errors.js';
import type { Strategy, StrategyContext, StrategyDefinition } from './contract.js';
import { instanceGroup } from './instance-group.js';
import { serial } from './serial.js';
import { tritonDynamic } from './triton-dynamic.js';

/** Every strategy. One import and one line per addition. */
export const strategies = [
  serial, // one request at a time
  instanceGroup, // several instances behind one queue
  tritonDynamic, // preferred sizes, delay, priorities, timeouts
] as const satisfies readonly StrategyDefinition[];

/** The definition of that name, if there is one. */
export function findStrategy(name: string): StrategyDefinition | undefined {
  return strategies.find((definition) => definition.name === name);
}

/** The definition of that name. Throws UserError that lists all names. */
export function strategyNamed(name: string, place = 'strategy'): StrategyDefinition {
  const found = findStrategy(name);
  if (found !== undefined) return found;
  const allowed = strategies.map((definition) => definition.name).join(', ');
  throw new UserError({ place, found: `there is no strategy "${name}"`, allowed });
}

/** Options with their defaults filled in. Throws UserError with every problem of them. */
export function parseStrategyOptions(
  definition: StrategyDefinition,
  options: unknown,
  place = definition.name,
): unknown {
  const parsed = definition.options.safeParse(options ?? {});
  if (parsed.success) return parsed.data;
  throw new UserError(
    parsed.error.issues.map((issue) => ({
      place: [place, ...issue.path.map(String)].join('.'),
      found: issue.message,
    })),
  );
}

/** A new strategy of that name. Throws UserError where the name or an option is wrong. */
export function createStrategy(name: string, options: unknown, context: StrategyContext, place?: string): Strategy {
  const definition = strategyNamed(name, place);
  return definition.create(parseStrategyOptions(definition, options, place), context);
}
