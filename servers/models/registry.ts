import { lookUp } from '../../results/lookup.js';
import type { ModelDefinition } from './contract.js';
import { fashionMlp } from './fashion-mlp.js';
import { packagedModels } from './zoo.js';

/** The zoo: models known by name. One import and one line per addition. */
export const models = [
  fashionMlp, // trained on Fashion-MNIST, embedded
] as const satisfies readonly ModelDefinition[];

/** The model of that name, if the zoo has it. */
export function findModel(name: string): ModelDefinition | undefined {
  return [...models, ...packagedModels].find((definition) => definition.name === name);
}

/** The model of that name. Throws UserError that lists the zoo. */
export function modelNamed(name: string, place = 'model'): ModelDefinition {
  return lookUp<ModelDefinition>([...models, ...packagedModels], name, 'model in the zoo', place);
}
