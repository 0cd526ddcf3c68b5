import { z } from 'zod';
import type { SampleLibrary } from '../../clients/samples/index.js';
import { UserError } from '../../results/errors.js';
import { addConstants, node, valueInfo } from '../onnx/build.js';
import { innerGraphs, nameSource, producersOf, usedBy } from '../onnx/graph.js';
import { initializer, type OnnxModel } from '../onnx/model.js';
import type { ValueInfoProto } from '../onnx/proto/onnx_pb.js';
import { definePass, type PassContext } from './contract.js';
import { firstOutputs, type Outputs, samplesFor } from './support/activations.js';
import { finished, prepare, refuseQuantized } from './support/prepare.js';
import { fineTune, training } from './support/training.js';
import { dimsOfValue } from './support/values.js';

/** Labels are bytes where nets are trained. */
const MOST_CLASSES = 256;

const options = z.strictObject({
  /** The embedding; absent: the model's first output. */
  output: z.string().optional(),
  epochs: z.number().int().positive().default(100),
  /** Adam's peak rate, with a cosine to 0. */
  rate: z.number().positive().default(0.02),
  seed: training.seed,
  trainCount: training.trainCount,
});

/**
 * A classifier of an encoder that stays as it is: softmax regression from its embedding at length 1 to the samples' classes, by
 * seed. What was the embedding FP32 [N, width] is then one logit a class, FP32 [N, classes], under the same name; other
 * outputs are dropped. Two encoders that were trained apart, whose embeddings mean nothing to each other, can so be judged on
 * one task. Source: Alain and Bengio, *Understanding intermediate layers using linear classifier probes*.
 */
export const linearProbe = definePass({
  name: 'linear-probe',
  summary: 'a linear classifier of labelled samples on an encoder’s embedding, seeded',
  options,
  apply: async (original, parsed, context) => {
    refuseQuantized(original, context);
    const prepared = prepare(original, context);
    const { model } = prepared;
    const output = outputNamed(model, parsed.output, context);
    const dropped = model.graph.output.filter((each) => each !== output).map(({ name }) => name);
    model.graph.output = [output];
    const samples = await samplesFor(context, 'a probe is trained on samples');
    const count = Math.min(parsed.trainCount, samples.totalSampleCount);
    const classes = classesOf(samples, count);
    const embeddings = await firstOutputs(model, samples, count);
    const { width } = embeddings;
    if (embeddings.values.length === 0 || !Number.isInteger(width) || (dimsOfValue(output)?.length ?? 2) !== 2)
      throw new UserError({
        place: context.place,
        found: `its output "${output.name}" is no embedding`,
        allowed: 'FP32 [N, width]',
        remedy: 'Name another output: output=…',
      });
    const { layers, facts } = await fineTune(
      { widths: [width, classes] },
      model,
      { ...parsed, trainCount: count, mixed: 0, targets: 'labels' },
      { ...context, samples: async () => ofLength1(embeddings, samples) },
    );
    putBehind(model, output, layers[0]!, width, context);
    return finished(
      prepared,
      { output: output.name, width, classes, training: facts },
      dropped.length === 0 ? [] : [`the outputs ${dropped.join(', ')} are dropped`],
    );
  },
});

function outputNamed({ graph }: OnnxModel, name: string | undefined, { place }: Pick<PassContext, 'place'>) {
  const found = name === undefined ? graph.output[0] : graph.output.find((each) => each.name === name);
  if (found) return found;
  throw new UserError({
    place: `${place}: linear-probe`,
    found: `the model has no output "${name}"`,
    allowed: graph.output.map((each) => each.name).join(', '),
  });
}

function classesOf({ name, label }: SampleLibrary, count: number): number {
  const refuse = (found: string) =>
    new UserError({ place: `samples ${name}`, found, allowed: 'samples of two classes or more, numbered from 0' });
  if (label === undefined) throw refuse('they have no labels, and a probe learns labels');
  const labels = Array.from({ length: count }, (_, i) => label(i));
  const most = Math.max(...labels);
  if (labels.some((each) => !Number.isInteger(each) || each < 0) || most < 1 || most >= MOST_CLASSES)
    throw refuse(most === 0 ? `all ${count} are of one class` : `their labels go up to ${most}`);
  return most + 1;
}

/** The embeddings as samples; the probe sees them as the finished model will. */
function ofLength1({ rows, width, values }: Outputs, { name, sha256, label }: SampleLibrary): SampleLibrary {
  const embedding = (row: number) => {
    const own = values.slice(row * width, (row + 1) * width);
    const length = Math.hypot(...own) || 1;
    return new Uint8Array(own.map((value) => value / length).buffer);
  };
  return {
    name,
    sha256,
    totalSampleCount: rows,
    performanceSampleCount: rows,
    inputs: (row) => [{ name: 'embedding', datatype: 'FP32', shape: [1, width], data: embedding(row) }],
    ...(label && { label }),
  };
}

/** The embedding gets another name, so that the logits can have its own. */
function putBehind(
  model: OnnxModel,
  output: ValueInfoProto,
  { weights, bias }: { readonly weights: Float32Array; readonly bias: Float32Array },
  width: number,
  { place }: Pick<PassContext, 'place'>,
): void {
  const { graph } = model;
  const { name } = output;
  const fresh = nameSource(model);
  const [embedding, unit, weight, offset] = ['embedding', 'unit', 'probe_weight', 'probe_bias'].map(fresh) as [
    string,
    string,
    string,
    string,
  ];
  if (!producersOf(model).has(name))
    throw new UserError({
      place,
      found: `its output "${name}" is made by no node`,
      allowed: 'outputs that are computed',
    });
  if (
    graph.node.some((each) => innerGraphs(each).length > 0 && usedBy(each).includes(name) && !each.input.includes(name))
  )
    throw new UserError({
      place,
      found: `an inner graph reads its output "${name}"`,
      allowed: 'outputs that none does',
    });
  const renamed = (each: string) => (each === name ? embedding : each);
  for (const each of graph.node) {
    each.input = each.input.map(renamed);
    each.output = each.output.map(renamed);
  }
  addConstants(model, initializer(weight, [width, bias.length], weights), initializer(offset, [bias.length], bias));
  graph.node.push(
    node('LpNormalization', [embedding], [unit], { axis: -1n, p: 2n }),
    node('Gemm', [unit, weight, offset], [name]),
  );
  graph.output = [valueInfo(name, [dimsOfValue(output)?.[0] ?? 'N', bias.length])];
}
