import type { ProcessingSpec } from '../processing/index.js';
import type { ModelDefinition } from './contract.js';
import { findModel } from './registry.js';
import type { ModelSpec } from './spec.js';

/** What stands before and behind a model of the zoo, or a variant that passes make of one; undefined: nothing. */
export function processingOf(spec: ModelSpec): ProcessingSpec | undefined {
  return definitionOf(spec)?.processing;
}

/** The entry that a model comes from, through the passes that made it. */
export function definitionOf(spec: ModelSpec): ModelDefinition | undefined {
  if ('path' in spec) return spec.made && definitionOf(spec.made.parent);
  return 'zoo' in spec ? findModel(spec.zoo) : undefined;
}
