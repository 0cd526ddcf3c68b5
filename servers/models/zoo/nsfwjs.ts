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
 * input_1 f32[N,side,side,3], RGB, 0 … 1 → dense_3 f32[N,5]: drawing, hentai, neutral, porn, sexy. nsfwjs itself stretches an image
 * to the square; the processor here crops it.
 */
function nsfw(name: string, summary: string, side: number, by: string, sha256: string) {
  return packaged({
    name,
    summary,
    model: archive,
    made: { by, sha256 },
    samples: 'photos',
    pre: { name: 'image', options: { shortSide: side, crop: side, kernel: 'linear', layout: 'nhwc' } },
    post: { name: 'classes', options: { best: 5 } },
  });
}

export const nsfwMobilenet = nsfw(
  'nsfw-mobilenet',
  'MobileNetV2 of nsfwjs (TensorFlow.js): what kind of picture it is, of five; a light convolutional net',
  224,
  'nsfwjs-mobilenet',
  'd00ab907e0616ad26e9ac90bbbd761ce0cd2b2f9df9d41f5b1e1f7a1ffd7ee77',
);

/** Eight times the work. */
export const nsfwInception = nsfw(
  'nsfw-inception',
  'Inception v3 of nsfwjs (TensorFlow.js): the same question to a heavy convolutional net',
  299,
  'nsfwjs-inception',
  'e1b99df6401c47772aaa761bd743db0862c9f58180183e388786d2477c1eb85b',
);
