import { UserError } from '../../results/errors.js';
import type { ModelDefinition } from './contract.js';
import { fashionMlp } from './fashion-mlp.js';

/** The zoo: models known by name. One import and one line per addition. */
export const models = [
  fashionMlp, // trained on Fashion-MNIST, embedded
] as const satisfies readonly ModelDefinition[];

/** The model of that name, if the zoo has it. */
export function findModel(name: string): ModelDefinition | undefined {
  return models.find((definition) => definition.name === name);
}

/** The model of that name. Throws UserError that lists the zoo. */
export function modelNamed(name: string, place = 'model'): ModelDefinition {
  const found = findModel(name);
  if (found !== undefined) return found;
  throw new UserError({
    place,
    found: `the zoo has no model "${name}"`,
    allowed: models.map((definition) => definition.name).join(', '),
    remedy: 'For a file of your own give its path: `path: ./my.onnx`',
  });
}
