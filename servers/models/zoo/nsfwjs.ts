import type { PinnedFile } from '../../../results/packages.js';
import { packaged } from '../packaged.js';

const archive: PinnedFile = {
  client: 'npm',
  package: 'nsfwjs',
  version: '4.4.0',
  bytes: 24_973_068,
  sha256: '585cd178f3b994337c4d10a87b080d342fc52f8b9bf0085c4d1f345a3a1c5382',
  licence: 'MIT',
};

/**
 * input_1 f32[N,224,224,3], RGB, 0 … 1 → dense_3 f32[N,5]: drawing, hentai, neutral, porn, sexy. nsfwjs itself stretches an image
 * to the square; the processor here crops it.
 */
export const nsfwMobilenet = packaged({
  name: 'nsfw-mobilenet',
  summary: 'MobileNetV2 of nsfwjs (TensorFlow.js): what kind of picture it is, of five; a light convolutional net',
  model: archive,
  made: {
    by: 'nsfwjs-mobilenet',
    sha256: 'd00ab907e0616ad26e9ac90bbbd761ce0cd2b2f9df9d41f5b1e1f7a1ffd7ee77',
  },
  samples: 'photos',
  pre: { name: 'image', options: { shortSide: 224, crop: 224, kernel: 'linear', layout: 'nhwc' } },
  post: { name: 'classes', options: { best: 5 } },
});

/** As nsfw-mobilenet, of [N,299,299,3]: eight times the work. */
export const nsfwInception = packaged({
  name: 'nsfw-inception',
  summary: 'Inception v3 of nsfwjs (TensorFlow.js): the same question to a heavy convolutional net',
  model: archive,
  made: {
    by: 'nsfwjs-inception',
    sha256: 'e1b99df6401c47772aaa761bd743db0862c9f58180183e388786d2477c1eb85b',
  },
  samples: 'photos',
  pre: { name: 'image', options: { shortSide: 299, crop: 299, kernel: 'linear', layout: 'nhwc' } },
  post: { name: 'classes', options: { best: 5 } },
});
