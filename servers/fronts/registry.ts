import { checked, lookUp } from '../../results/lookup.js';
import { clipperSelect } from './clipper-select.js';
import type { Front, FrontContext, FrontDefinition } from './contract.js';
import { infaas } from './infaas.js';
import { modelmeshLru } from './modelmesh-lru.js';

/** Every front. One import and one line per addition. */
export const fronts = [
  modelmeshLru, // many models, memory for few
  infaas, // the variant that is accurate and fast enough
  clipperSelect, // the variant that was right most often
] as const satisfies readonly FrontDefinition[];

/** Starts the front of that name. Throws UserError where the name or an option is wrong, or a model does not load. */
export function startFront(name: string, given: unknown, context: FrontContext): Promise<Front> {
  const place = `${context.place}.front`;
  const definition = lookUp<FrontDefinition>(fronts, name, 'front', place);
  return definition.start(checked(definition.options, given, `${place}.${name}`), context);
}
