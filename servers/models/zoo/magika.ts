import { packaged } from '../packaged.js';

const FROM = { client: 'pip', package: 'magika', version: '1.0.3', licence: 'Apache-2.0' } as const;

/** bytes i32[N,2048] (see the processor magika-bytes) → target_label f32[N,214], probabilities. */
export const magika = packaged({
  name: 'magika',
  summary: 'Magika v3.3: the type of a file from its first and last bytes, one of 214',
  model: {
    ...FROM,
    file: 'magika/models/standard_v3_3/model.onnx',
    bytes: 3_163_737,
    sha256: 'fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c',
  },
  files: {
    labels: {
      ...FROM,
      file: 'magika/models/standard_v3_3/config.min.json',
      bytes: 2141,
      sha256: 'ae24c742205358f6ff6dfd5facb6743fb69743dbba8373e73da58ff0cbd695db',
    },
  },
  samples: 'typed-files',
  pre: { name: 'magika-bytes' },
  post: { name: 'classes', options: { labelsUnder: 'target_labels_space' } },
});
