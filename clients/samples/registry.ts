import { lookUp } from '../../results/lookup.js';
import { audio } from './audio.js';
import type { SampleDefinition } from './contract.js';
import { fashionMnist } from './fashion-mnist.js';
import { fashionMnistTrain } from './fashion-mnist-train.js';
import { mails } from './mails.js';
import { npy } from './npy.js';
import { photos } from './photos.js';
import { printed } from './printed.js';
import { random } from './random.js';
import { texts } from './texts.js';
import { typedFiles } from './typed-files.js';

/** Every sample library. One import and one line per addition. */
export const samples = [
  fashionMnist,
  fashionMnistTrain,
  npy,
  random,
  typedFiles,
  audio,
  texts,
  mails,
  photos,
  printed,
] as const satisfies readonly SampleDefinition[];

/** The definition of that name. Throws UserError that lists all names. */
export function samplesNamed(name: string, place = 'samples'): SampleDefinition {
  return lookUp<SampleDefinition>(samples, name, 'sample library', place);
}
