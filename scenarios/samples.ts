import { findModel, type ModelSpec, processingOf } from '../servers/models/index.js';
import type { SamplesChoice, SystemSpec } from './contract.js';

/** The scenario's choice, else the zoo model's own samples, else generated ones. */
export function samplesOf(
  { model, processing }: Pick<SystemSpec, 'model' | 'processing'>,
  choice: SamplesChoice | undefined,
): SamplesChoice {
  // The samples of an entry with processors are what these take, not tensors.
  const isBare = processing === 'none' && processingOf(model)?.pre !== undefined;
  return choice ?? (isBare ? undefined : ownSamples(model)) ?? { name: 'random' };
}

/** How the answers of a zoo model, or of a variant of one, are judged. */
export function ownMetric(spec: ModelSpec): string | undefined {
  if ('path' in spec) return spec.made && ownMetric(spec.made.parent);
  return 'zoo' in spec ? findModel(spec.zoo)?.metric : undefined;
}

/** The library that fits a model of the zoo, or a variant of one. */
export function ownSamples(spec: ModelSpec): SamplesChoice | undefined {
  if ('path' in spec) return spec.made && ownSamples(spec.made.parent);
  const name = 'zoo' in spec ? findModel(spec.zoo)?.samples : undefined;
  return name === undefined ? undefined : { name };
}
