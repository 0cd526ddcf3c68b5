import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GraphModel, io, LayersModel, NamedTensorMap, Tensor } from '@tensorflow/tfjs';
import { z } from 'zod';
import { messageOf, UserError } from '../../results/errors.js';
import type { Datatype, TensorMetadata } from '../protocol/index.js';
import { defineRuntime, type Runtime, type RuntimeMetadata, type RuntimeTensor } from './contract.js';

type Tf = typeof import('@tensorflow/tfjs');

const options = z.strictObject({
  /** `wasm`: SIMD in WebAssembly, one thread. `cpu`: plain JavaScript. */
  backend: z.enum(['wasm', 'cpu']).default('wasm'),
});

/** A TensorFlow.js model (graph or layers). The packages are optional peers: whoever wants this runtime installs them. */
export const tfjs = defineRuntime({
  name: 'tfjs',
  summary:
    'TensorFlow.js on WebAssembly or plain JavaScript (install @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm)',
  options,
  create: async (modelPath, { backend }) => {
    if (modelPath === undefined) throw new UserError({ place: 'model', found: 'the tfjs runtime needs a model.json' });
    const tf = await load(backend);
    const artifacts = await readArtifacts(modelPath);
    const isGraph = Array.isArray((artifacts.modelTopology as { node?: unknown } | undefined)?.node);
    try {
      const handler = { load: async () => artifacts };
      const model = isGraph ? await tf.loadGraphModel(handler) : await tf.loadLayersModel(handler);
      // Before that a Sequential knows its layers' tensors only: their names differ with each load in a process.
      if (!isGraphModel(model)) model.build(model.inputs[0]!.shape);
      return new TfjsRuntime(tf, model, metadataOf(model, backend, modelPath));
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(
        { place: modelPath, found: `TensorFlow.js cannot load it: ${messageOf(error).split('\n')[0]}` },
        { cause: error },
      );
    }
  },
});

class TfjsRuntime implements Runtime {
  constructor(
    private readonly tf: Tf,
    private readonly model: GraphModel | LayersModel,
    readonly metadata: RuntimeMetadata,
  ) {}

  async execute(
    inputs: readonly RuntimeTensor[],
    _rows: number,
    outputs?: readonly string[],
  ): Promise<RuntimeTensor[]> {
    const wanted = this.metadata.outputs.filter(({ name }) => outputs === undefined || outputs.includes(name));
    const engine = this.tf.engine();
    engine.startScope();
    try {
      const results = this.#run(inputs);
      return wanted.map((spec) => fromTfjs(spec, results.get(spec.name)!));
    } finally {
      engine.endScope();
    }
  }

  async close(): Promise<void> {
    this.model.dispose();
  }

  /** Output name → tensor; to be called within a scope, which frees them. */
  #run(inputs: readonly RuntimeTensor[]): Map<string, Tensor> {
    const feeds: NamedTensorMap = {};
    for (const input of inputs) feeds[input.name] = this.#tensor(input);
    const { model, metadata } = this;
    const found = isGraphModel(model)
      ? model.execute(
          feeds,
          metadata.outputs.map(({ name }) => name),
        )
      : model.predict(metadata.inputs.map(({ name }) => feeds[name]!));
    const list = Array.isArray(found) ? found : [found as Tensor];
    return new Map(metadata.outputs.map(({ name }, i) => [name, list[i]!]));
  }

  #tensor({ datatype, shape, buffer }: RuntimeTensor): Tensor {
    const make = { FP32: Float32Array, INT32: Int32Array, BOOL: Uint8Array }[datatype as string];
    if (make === undefined) throw new Error(`TensorFlow.js has no ${datatype}`);
    return this.tf.tensor(new make(buffer), [...shape], TFJS_TYPES[datatype as string]!);
  }
}

/** A copy: the tensor's own memory is TensorFlow's. */
function fromTfjs({ name, datatype }: TensorMetadata, tensor: Tensor): RuntimeTensor {
  const values = tensor.dataSync();
  const copy = datatype === 'BOOL' ? Uint8Array.from(values) : values.slice();
  return { name, datatype, shape: tensor.shape, buffer: copy.buffer as ArrayBuffer };
}

function isGraphModel(model: GraphModel | LayersModel): model is GraphModel {
  return 'execute' in model && !('predictOnBatch' in model);
}

const TFJS_TYPES: Readonly<Record<string, 'float32' | 'int32' | 'bool'>> = {
  FP32: 'float32',
  INT32: 'int32',
  BOOL: 'bool',
};

/** Lazily, and in CommonJS: what only lists runtimes never loads it. */
async function load(backend: 'wasm' | 'cpu'): Promise<Tf> {
  try {
    const module = (await import('@tensorflow/tfjs')) as Tf & { readonly default?: Tf };
    const tf = module.default ?? module;
    if (backend === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
    if (!(await tf.setBackend(backend))) throw new Error(`its backend ${backend} does not start`);
    await tf.ready();
    return tf;
  } catch (error) {
    throw new UserError(
      {
        place: 'runtime tfjs',
        found: `TensorFlow.js can't be used here: ${messageOf(error).split('\n')[0]}`,
        remedy: 'npm install @tensorflow/tfjs @tensorflow/tfjs-backend-wasm',
      },
      { cause: error },
    );
  }
}

/** model.json and the weights beside it. Throws UserError where a file is missing or no model. */
async function readArtifacts(path: string): Promise<io.ModelArtifacts> {
  try {
    const json = JSON.parse(await readFile(path, 'utf8')) as io.ModelJSON;
    const shards = json.weightsManifest.flatMap(({ paths }) => paths);
    const parts = await Promise.all(shards.map((name) => readFile(join(dirname(path), name))));
    return {
      ...json,
      weightSpecs: json.weightsManifest.flatMap(({ weights }) => weights),
      weightData: new Uint8Array(Buffer.concat(parts)).buffer,
    } as io.ModelArtifacts;
  } catch (error) {
    throw new UserError(
      {
        place: path,
        found: `it is no TensorFlow.js model, or its weights are missing: ${messageOf(error)}`,
        allowed: 'a model.json with its weight files beside it',
      },
      { cause: error },
    );
  }
}

function metadataOf(model: GraphModel | LayersModel, backend: string, path: string): RuntimeMetadata {
  const describe = (
    name: string,
    { dtype = 'float32', shape }: { dtype?: string; shape?: readonly (number | null)[] },
  ): TensorMetadata => ({
    name,
    datatype: datatypeOf(dtype, `${path} "${name}"`),
    shape: (shape ?? [null]).map((dim) => (dim === null || dim < 0 ? -1 : dim)),
  });
  const plain = (name: string) => name.replace(/:0$/, '');
  const names = isGraphModel(model) ? undefined : model;
  return {
    platform: 'tensorflowjs',
    backend: 'tfjs',
    inputs: model.inputs.map((each, i) => describe(names?.inputNames[i] ?? plain(each.name), each)),
    outputs: model.outputs.map((each, i) => describe(names?.outputNames[i] ?? plain(each.name), each)),
    providers: [backend],
  };
}

function datatypeOf(dtype: string, place: string): Datatype {
  const found = Object.entries(TFJS_TYPES).find(([, name]) => name === dtype)?.[0];
  if (found !== undefined) return found as Datatype;
  throw new UserError({ place, found: `its type is ${dtype}`, allowed: 'float32, int32, bool' });
}
