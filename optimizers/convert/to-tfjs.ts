import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../../results/errors.js';
import { writeFileAtomic } from '../../results/files.js';
import { intAttribute } from '../onnx/build.js';
import { consumersOf, outputsOf } from '../onnx/graph.js';
import { checkModel, type OnnxModel, type WrittenFile } from '../onnx/index.js';
import { normal } from '../onnx/model.js';
import { type NodeProto, TensorProto_DataType, type ValueInfoProto } from '../onnx/proto/onnx_pb.js';
import { denseLayers } from '../passes/support/dense.js';

/**
 * Writes a plain dense net (matrix products with constant weights, activations between them, one input [N, k]) as a layers model of
 * TensorFlow.js: `path`, a model.json, and its weights beside it (`files[0]` is the model). Inputs and outputs keep their names. Throws UserError with the first node that has no such layer.
 */
export function writeTfjs(model: OnnxModel, path: string, place: string): WrittenFile[] {
  const { input, width, layers } = chainOf(model, place);
  const weights = layers.flatMap(({ name, arrays }) =>
    Object.entries(arrays).map(([kind, { shape, values }]) => ({ name: `${name}/${kind}`, shape, values })),
  );
  const file = join(dirname(path), `${basename(path, '.json')}.weights.bin`);
  const bytes = weights.map(({ values }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  const first = {
    class_name: 'InputLayer',
    config: { name: input, batch_input_shape: [null, width], dtype: 'float32', sparse: false },
  };
  const rest = layers.map(({ name, kind, config }) => ({
    class_name: kind,
    config: { name, trainable: false, dtype: 'float32', ...config },
  }));
  const config = { name: model.graph.name || 'net', layers: [first, ...rest] };
  const json = {
    format: 'layers-model',
    generatedBy: 'servemark',
    convertedBy: null,
    modelTopology: {
      keras_version: '2.4.0',
      backend: 'tensorflow',
      model_config: { class_name: 'Sequential', config },
    },
    weightsManifest: [
      {
        paths: [basename(file)],
        weights: weights.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })),
      },
    ],
  };
  const beside = put(file, Buffer.concat(bytes), 'the weights');
  return [put(path, Buffer.from(`${JSON.stringify(json, null, 2)}\n`), 'the model'), beside];
}

function put(path: string, content: Buffer, what: string): WrittenFile {
  writeFileAtomic(path, content, what);
  return { path, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

interface Layer {
  /** Of the value that it makes. */
  readonly name: string;
  readonly kind: 'Dense' | 'Activation';
  readonly config: Readonly<Record<string, unknown>>;
  readonly arrays: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: Float32Array }>>;
}

/** ONNX's activation → Keras's. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  Relu: 'relu',
  Sigmoid: 'sigmoid',
  Tanh: 'tanh',
  Softmax: 'softmax',
  Identity: 'linear',
};

/** The layers from the only input to the only output, each the only reader of the one before. */
function chainOf(model: OnnxModel, place: string): { input: string; width: number; layers: readonly Layer[] } {
  const problems = checkModel(model, place);
  if (problems.length > 0) throw new UserError(problems);
  const { input, width } = onlyInput(model, place);
  const { layers: dense, left } = denseLayers(model);
  const consumers = consumersOf(model);
  const outputs = outputsOf(model);
  const layers: Layer[] = [];
  for (let at = input; !outputs.has(at); ) {
    const [next, ...others] = consumers.get(at) ?? [];
    if (next === undefined || others.length > 0)
      throw refused(place, `value "${at}" is read by ${others.length + (next ? 1 : 0)} nodes`);
    const found = dense.find(({ node }) => node === next);
    if (found) {
      const bias = found.bias();
      layers.push({
        name: found.output,
        kind: 'Dense',
        config: { units: found.n, use_bias: bias !== undefined, activation: 'linear' },
        arrays: {
          kernel: { shape: [found.k, found.n], values: found.weights() },
          ...(bias && { bias: { shape: [found.n], values: bias } }),
        },
      });
      at = found.output;
      continue;
    }
    const name = activationOf(next);
    if (name === undefined)
      throw refused(place, `node "${next.name || next.output[0]}" (${next.opType}) ${why(next, left)}`);
    at = next.output[0]!;
    const before = layers.at(-1);
    // In one layer, as Keras writes them: TensorFlow.js has kernels for the pair.
    if (before?.kind === 'Dense' && before.config.activation === 'linear')
      layers.splice(-1, 1, { ...before, name: at, config: { ...before.config, activation: name } });
    else layers.push({ name: at, kind: 'Activation', config: { activation: name }, arrays: {} });
  }
  if (layers.length === 0 || outputs.size !== 1)
    throw refused(place, `the net has ${outputs.size} outputs and ${layers.length} layers before the first of them`);
  return { input, width, layers };
}

function onlyInput(model: OnnxModel, place: string): { input: string; width: number } {
  const inputs = model.graph.input.filter(({ name }) => !model.initializers.has(name));
  const [first, ...others] = inputs;
  const dims = first && dimsOf(first);
  const width = Number(dims?.[1] ?? 0);
  if (first === undefined || others.length > 0 || dims?.length !== 2 || width <= 0)
    throw refused(
      place,
      `its inputs are ${inputs.map((each) => `"${each.name}" [${dimsOf(each) ?? '?'}]`).join(', ') || 'none'}`,
    );
  return { input: first.name, width };
}

/** Of an FP32 tensor: sizes, 0 where one is open; undefined for anything else. */
function dimsOf({ type }: ValueInfoProto): number[] | undefined {
  if (type?.value.case !== 'tensorType' || type.value.value.elemType !== TensorProto_DataType.FLOAT) return undefined;
  return type.value.value.shape?.dim.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : 0));
}

function activationOf(node: NodeProto): string | undefined {
  if (normal(node.domain) !== '') return undefined;
  // Along the last of two axes; what it meant before operator set 13 is the same there.
  if (node.opType === 'Softmax' && ![-1, 1].includes(intAttribute(node, 'axis', -1))) return undefined;
  return ACTIVATIONS[node.opType];
}

function why(node: NodeProto, left: readonly string[]): string {
  const known = left.find((text) => text.startsWith(`${node.opType} "${node.name || node.output[0]}"`));
  return known === undefined ? 'has no layer here' : `is no dense layer (${known.slice(known.lastIndexOf('": ') + 3)})`;
}

function refused(place: string, found: string): UserError {
  return new UserError({
    place,
    found: `it can't be written for TensorFlow.js: ${found}`,
    allowed: `nets of one FP32 input [N, width], dense layers and ${Object.keys(ACTIVATIONS).join(', ')}, one behind the other`,
    remedy:
      'Serve it with the runtime onnx; models that TensorFlow.js made are converted the other way (servemark models convert)',
  });
}
