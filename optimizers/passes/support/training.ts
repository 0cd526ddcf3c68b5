import { z } from 'zod';
import type { SampleLibrary } from '../../../clients/samples/index.js';
import { UserError } from '../../../results/errors.js';
import { canonicalDouble, FastRandom, Mt19937, permutation, uniformInt } from '../../../results/stats/index.js';
import type { Tensor } from '../../../servers/protocol/index.js';
import { addConstants, node } from '../../onnx/build.js';
import { consumersOf, nameSource } from '../../onnx/graph.js';
import { initializer, type OnnxModel } from '../../onnx/model.js';
import type { NodeProto } from '../../onnx/proto/onnx_pb.js';
import { Mlp, type NetHooks } from '../../train/mlp.js';
import type { PassContext } from '../contract.js';
import { firstOutputs, type Outputs, samplesFor } from './activations.js';
import { type DenseLayer, denseLayers, substitute } from './dense.js';

/** Options of passes that can train. */
export const training = {
  /** Passes over the samples; 0 = no training. */
  epochs: z.number().int().nonnegative().default(0),
  /** Adam's peak rate, with a cosine to 0. */
  rate: z.number().positive().default(2e-4),
  seed: z.number().int().nonnegative().default(1),
  /** Samples to train on: the library's first. */
  trainCount: z.number().int().positive().default(60_000),
  /** What the net learns: the given net's outputs (`teacher`), or the samples' labels. */
  targets: z.enum(['teacher', 'labels']).default('teacher'),
  /**
   * With it a net learns the softmax of the given net's outputs at this temperature (for classifiers: what they decide); without,
   * the outputs themselves. With `targets: teacher` only.
   */
  temperature: z.number().positive().optional(),
  /**
   * So many more inputs a sample, each a mix of two, which the given net answers like every input: few samples last longer. With
   * `targets: teacher` only.
   */
  mixed: z.number().int().nonnegative().default(0),
};

export interface TrainingOptions {
  readonly epochs: number;
  readonly rate: number;
  readonly seed: number;
  readonly trainCount: number;
  readonly mixed: number;
  readonly temperature?: number | undefined;
  readonly targets: 'teacher' | 'labels';
}

/** A net that can be trained here: dense layers with ReLU, or nothing, between; one input, one output. */
export interface TrainableNet {
  /** Places of layers without ReLU behind them. */
  readonly linear: ReadonlySet<number>;
  readonly layers: readonly DenseLayer[];
  /** Inputs, hidden widths, outputs. */
  readonly widths: readonly number[];
}

/** The model as such a net. Throws UserError where it is something else. */
export function mlpOf(model: OnnxModel, { place }: Pick<PassContext, 'place'>, pass: string): TrainableNet {
  const { layers } = denseLayers(model);
  const refuse = (found: string) =>
    new UserError({
      place,
      found: `${pass} trains the net, and ${found}`,
      allowed: 'nets of dense layers with ReLU or nothing between, of one FP32 input [N, width] and one output',
    });
  const known = new Set(layers.flatMap(({ nodes }) => nodes));
  const other = model.graph.node.find((each) => !known.has(each) && each.opType !== 'Relu');
  if (other) throw refuse(`this one has ${other.opType} "${other.name || other.output[0]}"`);
  if (model.graph.input.length !== 1 || model.graph.output.length !== 1)
    throw refuse('this one has several inputs or outputs');
  const consumers = consumersOf(model);
  let value = model.graph.input[0]!.name;
  const linear = new Set<number>();
  for (const [i, layer] of layers.entries()) {
    if (layer.input !== value || consumers.get(value)?.length !== 1) throw refuse('its layers are no plain chain');
    const next = consumers.get(layer.output)?.[0];
    if (next?.opType !== 'Relu') linear.add(i);
    value = next?.opType === 'Relu' ? next.output[0]! : layer.output;
  }
  if (layers.length === 0 || value !== layers.at(-1)!.output || value !== model.graph.output[0]!.name)
    throw refuse('it does not end in a dense layer');
  return { layers, linear, widths: [layers[0]!.k, ...layers.map(({ n }) => n)] };
}

export interface TuneHooks extends NetHooks {
  /** After each step, `done` the share of steps; may change the weights W [k, n] of each layer in place. */
  readonly afterStep?: (layers: readonly Float32Array[], done: number) => void;
  /** What the net reads of a sample, [widths[0]]; absent: its first input's FP32 values. */
  readonly features?: (sample: Tensor) => Float32Array;
  /** What is learned of the teacher's answers; absent: themselves. */
  readonly answers?: (goal: Outputs) => Outputs;
}

export interface Tuned {
  /** W [k, n] and b [n] a layer. */
  readonly layers: readonly { readonly weights: Float32Array; readonly bias: Float32Array }[];
  readonly facts: Readonly<Record<string, unknown>>;
}

const BATCH = 120;

/**
 * Trains a net of `net.widths` from its weights (or, without `layers`, from seeded random ones) on the context's samples:
 * against their labels, or against what `teacher` answers (mean squared error of the outputs). The same seed gives the
 * same weights.
 */
export async function fineTune(
  net: { readonly widths: readonly number[] } & Partial<TrainableNet>,
  teacher: OnnxModel,
  options: TrainingOptions,
  context: PassContext,
  hooks: TuneHooks = {},
): Promise<Tuned> {
  if (options.temperature !== undefined && options.targets === 'labels')
    throw new UserError({
      place: 'temperature',
      found: 'labels have no temperature',
      allowed: 'temperature with targets: teacher',
    });
  const given = await samplesFor(context, 'training needs samples');
  const own = Math.min(options.trainCount, given.totalSampleCount);
  const samples = withMixed(given, own, options);
  const count = own * (1 + options.mixed);
  const goal =
    options.targets === 'labels'
      ? labelsOf(samples, count)
      : (hooks.answers ?? same)(await firstOutputs(teacher, samples, count));
  const inputs = inputsOf(samples, count, net.widths[0]!, hooks.features ?? floatsOf);
  const random = new Mt19937(BigInt(options.seed));
  const batch = Math.min(BATCH, Math.max(8, Math.floor(count / 8) * 8));
  const mlp = new Mlp(net.widths, batch, random, { ...hooks, ...(net.linear && { linear: net.linear }) });
  if (net.layers) for (const [i, layer] of net.layers.entries()) load(mlp, i, layer);
  const steps = Math.floor(count / batch) * options.epochs;
  let loss = 0;
  let step = 0;
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    const order = permutation(random, count);
    for (let from = 0; from + batch <= count; from += batch, step++) {
      context.signal?.throwIfAborted();
      const rows = order.subarray(from, from + batch);
      fill(mlp, inputs, rows, net.widths[0]!);
      const rate = (options.rate / 2) * (1 + Math.cos((Math.PI * step) / steps));
      loss = learn(mlp, goal, rows, rate, options.temperature);
      if (hooks.afterStep) changeWeights(mlp, net.widths, (each) => hooks.afterStep!(each, (step + 1) / steps));
    }
  }
  return {
    layers: net.widths.slice(1).map((width, i) => unpadded(mlp, i, net.widths[i]!, width)),
    facts: {
      targets: options.targets,
      ...(options.temperature !== undefined && { temperature: options.temperature }),
      samples: given.name,
      sha256: given.sha256,
      count: own,
      ...(options.mixed > 0 && { mixed: count - own }),
      epochs: options.epochs,
      seed: options.seed,
      lastLoss: loss,
    },
  };
}

/** The model's layers with other weights; their shape may be another. Nodes become plain Gemm. */
export function withWeights(model: OnnxModel, { layers }: TrainableNet, tuned: Tuned['layers']): void {
  const fresh = nameSource(model);
  for (const [i, layer] of layers.entries()) {
    const { weights, bias } = tuned[i]!;
    const names = [fresh(`${layer.weight.header.name}_tuned`), fresh(`${layer.output}_bias`)] as const;
    const n = bias.length;
    addConstants(model, initializer(names[0], [weights.length / n, n], weights), initializer(names[1], [n], bias));
    substitute(model, layer.nodes, [gemm(layer, names)]);
  }
}

function gemm(layer: DenseLayer, names: readonly [string, string]): NodeProto {
  return node('Gemm', [layer.input, ...names], [layer.output]);
}

type Goal = Uint8Array | Outputs;

function same(goal: Outputs): Outputs {
  return goal;
}

function learn(
  mlp: Mlp,
  goal: Goal,
  rows: Uint32Array | readonly number[],
  rate: number,
  temperature?: number,
): number {
  if (goal instanceof Uint8Array)
    return mlp.train(
      Uint8Array.from(rows, (row) => goal[row]!),
      rate,
    );
  const wanted = new Float32Array(rows.length * goal.width);
  for (const [i, row] of rows.entries())
    wanted.set(goal.values.subarray(row * goal.width, (row + 1) * goal.width), i * goal.width);
  return temperature === undefined ? mlp.imitate(wanted, rate) : mlp.imitateSoftly(wanted, temperature, rate);
}

function labelsOf(samples: SampleLibrary, count: number): Uint8Array {
  if (samples.label === undefined)
    throw new UserError({
      place: `samples ${samples.name}`,
      found: 'they have no labels',
      remedy: 'Train on the given net’s outputs: targets=teacher',
    });
  return Uint8Array.from({ length: count }, (_, i) => samples.label!(i));
}

/**
 * The first `count` samples and behind them the mixed ones, each λ·a + (1 − λ)·b of two samples with λ uniform. Source: Zhang et
 * al., *mixup*; Beyer et al., *Knowledge distillation: a good teacher is patient and consistent*.
 */
function withMixed(samples: SampleLibrary, count: number, { mixed, targets, seed }: TrainingOptions): SampleLibrary {
  if (mixed === 0) return samples;
  if (targets === 'labels')
    throw new UserError({
      place: 'mixed',
      found: 'a mix of two samples has no label',
      allowed: 'mixed with targets: teacher, or labels without it',
    });
  const random = new FastRandom(seed);
  const pairs = Array.from({ length: count * mixed }, (_, i) => ({
    a: i % count,
    b: uniformInt(random, count),
    share: canonicalDouble(random),
  }));
  return {
    ...samples,
    totalSampleCount: count + pairs.length,
    inputs: (index) => {
      if (index < count) return samples.inputs(index);
      const { a, b, share } = pairs[index - count]!;
      const [first, second] = [samples.inputs(a), samples.inputs(b)];
      return first.map((tensor, i) => ({ ...tensor, data: mix(tensor.data, second[i]!.data, share) }));
    },
  };
}

/** FP32 values of both, weighted. */
function mix(a: Uint8Array, b: Uint8Array, share: number): Uint8Array {
  const [x, y] = [new Float32Array(new Uint8Array(a).buffer), new Float32Array(new Uint8Array(b).buffer)];
  return new Uint8Array(x.map((value, i) => share * value + (1 - share) * y[i]!).buffer);
}

function inputsOf(
  samples: SampleLibrary,
  count: number,
  width: number,
  featuresOf: (sample: Tensor) => Float32Array,
): Float32Array {
  const inputs = new Float32Array(count * width);
  for (let i = 0; i < count; i++) inputs.set(featuresOf(samples.inputs(i)[0]!), i * width);
  return inputs;
}

function floatsOf({ data }: Tensor): Float32Array {
  return new Float32Array(new Uint8Array(data).buffer);
}

function fill(mlp: Mlp, inputs: Float32Array, rows: Uint32Array | readonly number[], width: number): void {
  const stride = mlp.input.length / rows.length;
  for (const [i, row] of rows.entries()) mlp.input.set(inputs.subarray(row * width, (row + 1) * width), i * stride);
}

/** Shows the weights without their padding and takes them back. */
function changeWeights(mlp: Mlp, widths: readonly number[], change: (layers: Float32Array[]) => void): void {
  const layers = widths.slice(1).map((width, i) => unpadded(mlp, i, widths[i]!, width));
  change(layers.map(({ weights }) => weights));
  for (const [i, { weights }] of layers.entries()) place(mlp, i, weights, widths[i]!, widths[i + 1]!);
}

function place(mlp: Mlp, i: number, values: Float32Array, rows: number, columns: number): void {
  const { weights, outputs } = mlp.layers[i]!;
  for (let row = 0; row < rows; row++) weights.set(values.subarray(row * columns, (row + 1) * columns), row * outputs);
}

function load(mlp: Mlp, i: number, layer: DenseLayer): void {
  mlp.layers[i]!.weights.fill(0);
  place(mlp, i, layer.weights(), layer.k, layer.n);
  mlp.layers[i]!.bias.set(layer.bias() ?? new Float32Array(layer.n));
}

function unpadded(mlp: Mlp, i: number, rows: number, columns: number): { weights: Float32Array; bias: Float32Array } {
  const { weights, bias, outputs } = mlp.layers[i]!;
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    values.set(weights.subarray(row * outputs, row * outputs + columns), row * columns);
  return { weights: values, bias: bias.slice(0, columns) };
}
