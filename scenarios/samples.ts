import { findModel, type ModelSpec } from '../servers/models/index.js';
import type { SamplesChoice, SystemSpec } from './contract.js';

/** The scenario's choice, else the zoo model's own samples, else generated ones. */
export function samplesOf(system: Pick<SystemSpec, 'model'>, choice: SamplesChoice | undefined): SamplesChoice {
  return choice ?? ownSamples(system.model) ?? { name: 'random' };
}

/** The library that fits a model of the zoo, or a variant of one. */
export function ownSamples(spec: ModelSpec): SamplesChoice | undefined {
  if ('path' in spec) return spec.made && ownSamples(spec.made.parent);
  const name = 'zoo' in spec ? findModel(spec.zoo)?.samples : undefined;
  return name === undefined ? undefined : { name };
}
