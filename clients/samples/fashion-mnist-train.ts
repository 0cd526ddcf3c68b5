import { pathToFileURL } from 'node:url';
import type { SampleDefinition } from './contract.js';
import { fashionImages } from './fashion-mnist.js';

/** Where Debian's package dataset-fashion-mnist puts the files. */
const DEBIAN_FOLDER = '/usr/share/datasets/fashion-mnist';

/** The 60,000 training images: for passes that train or calibrate, so that they never see what accuracy is judged on. */
export const fashionMnistTrain = {
  name: 'fashion-mnist-train',
  summary: 'The 60,000 training images of Fashion-MNIST with labels, of Debian’s dataset-fashion-mnist or a directory',
  create: ({ metadata, directory }) =>
    fashionImages(metadata, {
      name: 'fashion-mnist-train',
      folder: pathToFileURL(`${directory ?? DEBIAN_FOLDER}/`),
      part: 'train',
      remedy: 'Install the Debian package dataset-fashion-mnist, or give its folder as directory',
    }),
} as const satisfies SampleDefinition;
