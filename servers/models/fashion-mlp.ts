import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../results/errors.js';
import { packageRoot } from '../../results/package.js';
import type { ModelDefinition } from './contract.js';
import { sha256Of } from './file.js';

const FOLDER = new URL('servers/models/fashion-mlp/', packageRoot);

/** The embedded model: 784 → 1024 → 1024 → 10 on Fashion-MNIST, trained by a script in this repository. */
export const fashionMlp: ModelDefinition = {
  name: 'fashion-mlp',
  summary: 'Dense net 784-1024-1024-10 on Fashion-MNIST, dynamic batch; ships with the package',
  runtime: 'onnx',
  samples: 'fashion-mnist',
  trainingSamples: 'fashion-mnist-train',
  resolve: async (signal) => {
    const path = fileURLToPath(new URL('fashion-mlp.onnx', FOLDER));
    const provenance = await readProvenance(new URL('provenance.json', FOLDER));
    const sha256 = await sha256Of(path, signal);
    if (provenance.sha256 !== sha256)
      throw new UserError({
        place: path,
        found: `its SHA-256 ${sha256} is not the one in provenance.json (${provenance.sha256})`,
        remedy: 'Restore the file, or train it again with the script that provenance.json names',
      });
    return {
      name: 'fashion-mlp',
      version: '1',
      runtime: 'onnx',
      runtimeOptions: {},
      path,
      sha256,
      provenance: `${provenance.script ?? 'training script'}, seed ${provenance.seed ?? '?'}`,
    };
  },
};

interface Provenance {
  readonly sha256: string;
  readonly script?: string;
  readonly seed?: number | string;
}

async function readProvenance(url: URL): Promise<Provenance> {
  return JSON.parse(await readFile(url, 'utf8')) as Provenance;
}
