import { lookUp } from '../../results/lookup.js';
import { addedModels } from './added.js';
import type { ModelDefinition } from './contract.js';
import { fashionMlp } from './fashion-mlp.js';
import type { PackagedModel } from './packaged.js';
import { efficientnetLite0 } from './zoo/efficientnet-lite0.js';
import { magika } from './zoo/magika.js';
import { minilmL3, minilmL6 } from './zoo/minilm.js';
import { nsfwInception, nsfwMobilenet } from './zoo/nsfwjs.js';
import { ppocrAngle, ppocrDetect, ppocrReadBoxes, ppocrRecognise } from './zoo/ppocr.js';
import { sileroVad } from './zoo/silero-vad.js';

/** The zoo: models known by name. One import and one line per addition. */
export const models = [
  fashionMlp, // trained on Fashion-MNIST, embedded
] as const satisfies readonly ModelDefinition[];

/** Models that packages carry, pinned by hash. One import and one line per addition. */
export const packagedModels: readonly PackagedModel[] = [
  efficientnetLite0, // photo → class
  nsfwMobilenet, // photo → kind, of a TensorFlow.js net
  nsfwInception, // photo → kind, of a heavy one
  minilmL3, // text → embedding
  minilmL6, // … by twice the layers
  magika, // bytes of a file → its type
  ppocrDetect, // image → where text is
  ppocrRecognise, // line of text → characters
  ppocrReadBoxes, // image and boxes → characters
  ppocrAngle, // line of text → upside down or not
  sileroVad, // audio stream → speech or not
];

/** The model of that name, if the zoo has it. */
export function findModel(name: string): ModelDefinition | undefined {
  return known().find((definition) => definition.name === name);
}

/** The model of that name. Throws UserError that lists the zoo. */
export function modelNamed(name: string, place = 'model'): ModelDefinition {
  return lookUp<ModelDefinition>(known(), name, 'model in the zoo', place);
}

/** What ships with servemark wins over what was added under the same name. */
function known(): readonly ModelDefinition[] {
  return [...models, ...packagedModels, ...addedModels()];
}
