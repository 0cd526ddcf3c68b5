import { UserError } from '../../results/errors.js';
import type { Controller, ControllerDefinition } from './contract.js';

/** Every controller. One import and one line per addition. */
export const controllers = [] as const satisfies readonly ControllerDefinition[];

/** The definition of that name, if there is one. */
export function findController(name: string): ControllerDefinition | undefined {
  return (controllers as readonly ControllerDefinition[]).find((definition) => definition.name === name);
}

/** A new controller. Throws UserError with every problem of its options. */
export function createController(definition: ControllerDefinition, options: unknown): Controller {
  const parsed = definition.options.safeParse(options ?? {});
  if (parsed.success) return definition.create(parsed.data);
  throw new UserError(
    parsed.error.issues.map((issue) => ({
      place: [definition.name, ...issue.path.map(String)].join('.'),
      found: issue.message,
    })),
  );
}
