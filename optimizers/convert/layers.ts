import type { Value } from './builder.js';
import { GraphBuilder } from './builder.js';
import {
  activation,
  batchNorm,
  binary,
  clip,
  concat,
  convolution,
  dense,
  depthwise,
  flatten,
  globalPool,
  pad,
  pool,
  reshape,
  unary,
  type Window,
} from './operators.js';
import type { TfjsModel, TfjsWeight } from './reader.js';

type Config = Readonly<Record<string, unknown>>;

interface Layer {
  readonly class_name: string;
  readonly name?: string;
  readonly config: Config;
  readonly inbound_nodes?: readonly (readonly (readonly [string, number, number])[])[];
}

/** A layers model (Keras) as ONNX: Sequential, or a functional graph whose layers are used once. Throws UserError. */
export function convertLayers(model: TfjsModel): GraphBuilder {
  const top = (model.topology.model_config ?? model.topology) as { class_name: string; config: Config | Layer[] };
  const config = (Array.isArray(top.config) ? { layers: top.config } : top.config) as Config;
  const builder = new GraphBuilder(String(config.name ?? 'tfjs'), model.path);
  const layers = config.layers as Layer[] | undefined;
  if (layers === undefined) throw builder.refusal(`a topology of class ${top.class_name} without layers`);
  const values = top.class_name === 'Sequential' ? chain(builder, layers, model) : network(builder, layers, model);
  const outputs = config.output_layers as readonly (readonly [string])[] | undefined;
  const names = outputs ? outputs.map(([name]) => name) : [nameOf(layers.at(-1)!)];
  for (const name of names) builder.output(values.get(name)!, name, undefined);
  return builder;
}

function chain(b: GraphBuilder, layers: readonly Layer[], model: TfjsModel): Map<string, Value> {
  const values = new Map<string, Value>();
  let value: Value | undefined;
  for (const layer of layers) {
    if (value === undefined) {
      const shape = shapeOf(layer);
      if (shape === undefined) throw b.refusal('a first layer without batch_input_shape');
      const isInput = layer.class_name === 'InputLayer';
      value = b.input(isInput ? nameOf(layer) : `${nameOf(layer)}_input`, shape);
      if (isInput) continue;
    }
    value = apply(b, layer, [value], model);
    values.set(nameOf(layer), value);
  }
  return values;
}

function network(b: GraphBuilder, layers: readonly Layer[], model: TfjsModel): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const layer of layers) {
    if (layer.class_name === 'InputLayer') {
      values.set(nameOf(layer), b.input(nameOf(layer), shapeOf(layer)!));
      continue;
    }
    const [uses, ...more] = layer.inbound_nodes ?? [];
    if (uses === undefined || more.length > 0)
      throw b.refusal(`layer "${nameOf(layer)}" used ${more.length + 1} times`);
    const inputs = uses.map(([name]) => values.get(name));
    if (inputs.some((each) => each === undefined)) throw b.refusal(`layer "${nameOf(layer)}" before its inputs`);
    values.set(nameOf(layer), apply(b, layer, inputs as Value[], model));
  }
  return values;
}

function apply(b: GraphBuilder, layer: Layer, inputs: readonly Value[], model: TfjsModel): Value {
  const convert = LAYERS[layer.class_name];
  const name = nameOf(layer);
  if (convert === undefined) throw b.refusal(`layer "${name}" (${layer.class_name})`);
  if (layer.config.data_format === 'channels_first') throw b.refusal(`layer "${name}" with channels first`);
  const weight = (kind: string) => weightOf(model, name, kind);
  const value = convert(b, inputs, layer.config, weight);
  const wanted = String(layer.config.activation ?? 'linear');
  const activated = layer.class_name === 'Activation' ? value : activation(b, wanted, value);
  if (activated === undefined) throw b.refusal(`activation ${wanted} of layer "${name}"`);
  return activated;
}

type Weights = (kind: string) => TfjsWeight | undefined;
type Convert = (b: GraphBuilder, inputs: readonly Value[], config: Config, weight: Weights) => Value;

const arithmetic =
  (operator: string): Convert =>
  (b, inputs) =>
    inputs.slice(1).reduce((sum, each) => binary(b, operator, sum, each), inputs[0]!);

const windowPool =
  (kind: 'AveragePool' | 'MaxPool'): Convert =>
  (b, [x], config) =>
    pool(b, x!, kind, pair(config.pool_size), windowOf({ ...config, strides: config.strides ?? config.pool_size }));

const LAYERS: Readonly<Record<string, Convert>> = {
  Conv2D: (b, [x], config, weight) => convolution(b, x!, needed(b, weight, 'kernel'), weight('bias'), windowOf(config)),
  DepthwiseConv2D: (b, [x], config, weight) =>
    depthwise(b, x!, needed(b, weight, 'depthwise_kernel'), weight('bias'), windowOf(config)),
  SeparableConv2D: (b, [x], config, weight) =>
    convolution(
      b,
      depthwise(b, x!, needed(b, weight, 'depthwise_kernel'), undefined, windowOf(config)),
      needed(b, weight, 'pointwise_kernel'),
      weight('bias'),
      { strides: [1, 1], padding: 'valid' },
    ),
  Dense: (b, [x], _config, weight) => dense(b, x!, needed(b, weight, 'kernel'), weight('bias')),
  BatchNormalization: (b, [x], config, weight) =>
    batchNorm(b, x!, {
      scale: weight('gamma'),
      offset: weight('beta'),
      mean: needed(b, weight, 'moving_mean'),
      variance: needed(b, weight, 'moving_variance'),
      epsilon: Number(config.epsilon ?? 1e-3),
    }),
  ReLU: (b, [x], { max_value: max }) => (typeof max === 'number' ? clip(b, x!, 0, max) : unary(b, 'Relu', x!)),
  LeakyReLU: (b, [x], config) => unary(b, 'LeakyRelu', x!, { alpha: Number(config.alpha ?? 0.3) }),
  Activation: (b, [x], config) => {
    const value = activation(b, String(config.activation), x!);
    if (value === undefined) throw b.refusal(`activation ${config.activation}`);
    return value;
  },
  Softmax: (b, [x]) => activation(b, 'softmax', x!)!,
  ZeroPadding2D: (b, [x], config) => {
    const [[top, bottom], [left, right]] = config.padding as [[number, number], [number, number]];
    return pad(b, x!, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ]);
  },
  MaxPooling2D: windowPool('MaxPool'),
  AveragePooling2D: windowPool('AveragePool'),
  GlobalAveragePooling2D: (b, [x], config) => globalPool(b, x!, 'Average', config.keepdims === true),
  GlobalMaxPooling2D: (b, [x], config) => globalPool(b, x!, 'Max', config.keepdims === true),
  Flatten: (b, [x]) => flatten(b, x!),
  Reshape: (b, [x], config) => reshape(b, x!, [0, ...(config.target_shape as number[])]),
  Concatenate: (b, inputs, config) => concat(b, inputs, Number(config.axis ?? -1)),
  Add: arithmetic('Add'),
  Multiply: arithmetic('Mul'),
  Dropout: (_b, [x]) => x!,
};

function windowOf(config: Config): Window {
  return {
    strides: pair(config.strides),
    padding: config.padding === 'same' ? 'same' : 'valid',
    dilations: pair(config.dilation_rate),
  };
}

function pair(value: unknown): [number, number] {
  if (Array.isArray(value)) return [Number(value[0]), Number(value[1] ?? value[0])];
  return [Number(value ?? 1), Number(value ?? 1)];
}

function nameOf({ name, config }: Layer): string {
  return name ?? String(config.name);
}

function shapeOf({ config }: Layer): (number | null)[] | undefined {
  return (config.batch_input_shape ?? config.batch_shape) as (number | null)[] | undefined;
}

/** `layer/kernel`, or the same within scopes of a converter. */
function weightOf({ weights }: TfjsModel, layer: string, kind: string): TfjsWeight | undefined {
  const own = `${layer}/${kind}`;
  return weights.get(own) ?? [...weights].find(([name]) => name.endsWith(`/${own}`))?.[1];
}

function needed(b: GraphBuilder, weight: Weights, kind: string): TfjsWeight {
  const found = weight(kind);
  if (found === undefined) throw b.refusal(`a layer without its weight "${kind}"`);
  return found;
}
