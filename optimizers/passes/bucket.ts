import { z } from 'zod';
import { UserError } from '../../results/errors.js';
import { type RuntimeTensor, resizeAxis } from '../../servers/runtimes/index.js';
import { cloneModel, type OnnxModel } from '../onnx/model.js';
import { probeInputs, probeModel } from '../onnx/probe.js';
import type { ValueInfoProto } from '../onnx/proto/onnx_pb.js';
import { withSession } from '../onnx/session.js';
import { definePass, type PassContext } from './contract.js';
import { prepare } from './support/prepare.js';

const options = z.strictObject({
  /** The lengths that sequences are padded to; each becomes a model. */
  lengths: z.array(z.number().int().positive()).min(1).default([32, 64, 128, 256, 512]),
  /** The symbol of the sequence's dimension; needed where more than one is dynamic beside the batch. */
  dimension: z.string().min(1).optional(),
});

/**
 * Fixes the dynamic sequence dimension to a few lengths: a model a bucket, and a plan that names them, shortest first. A
 * runtime takes the first bucket that is long enough, pads inputs with zeros behind, and cuts outputs back. Whether padding
 * leaves the answers alone is tried on made-up inputs and said. Source: TensorFlow's bucketing by sequence length; NVIDIA
 * TensorRT optimisation profiles.
 */
export const bucket = definePass({
  name: 'bucket',
  summary: 'a model for each of a few sequence lengths, with static shapes, and the plan that chooses',
  options,
  splits: 'buckets',
  apply: async (original, { lengths, dimension }, context) => {
    const { model, notes } = prepare(original, context);
    const symbol = dimensionOf(model, dimension, context);
    const sorted = [...new Set(lengths)].sort((a, b) => a - b);
    const models = sorted.map((length) => ({ suffix: `length${length}`, model: fixed(model, symbol, length) }));
    const change = await changeByPadding(model, symbol);
    const names = (values: readonly ValueInfoProto[]) => values.map(({ name }) => name);
    const [inputs, outputs] = [names(model.graph.input), names(model.graph.output)];
    return {
      models,
      plan: {
        schema: 1,
        kind: 'buckets',
        inputs,
        outputs,
        sequence: Object.fromEntries(
          [...model.graph.input, ...model.graph.output].flatMap((value) => {
            const axes = axesOf(value, symbol);
            return axes.length > 0 ? [[value.name, axes]] : [];
          }),
        ),
        steps: models.map(({ suffix }, i) => ({ kind: 'bucket', model: suffix, length: sorted[i]!, inputs, outputs })),
      },
      facts: {
        dimension: symbol,
        lengths: sorted,
        padded: model.graph.input.flatMap((value) =>
          axesOf(value, symbol).map((axis) => ({ input: value.name, axis })),
        ),
        cut: model.graph.output.flatMap((value) => axesOf(value, symbol).map((axis) => ({ output: value.name, axis }))),
        largestChangeByPadding: change,
      },
      notes: [
        ...notes,
        change > HARMLESS
          ? `On made-up inputs padding changed the answers (by up to ${change.toPrecision(3)}): use it only with a mask that hides the padding`
          : 'On made-up inputs padding left the answers as they were',
        `Sequences longer than ${sorted.at(-1)} have no bucket`,
      ],
    };
  },
});

/** Below: other order of the same sums. */
const HARMLESS = 1e-4;

/** The dynamic dimension that is not the batch. Throws UserError where there is none, or more than one to choose from. */
function dimensionOf(model: OnnxModel, wanted: string | undefined, { place }: Pick<PassContext, 'place'>): string {
  const batch = new Set(model.graph.input.map((value) => symbolsOf(value)[0]));
  const found = new Set(
    model.graph.input.flatMap((value) =>
      symbolsOf(value)
        .slice(1)
        .filter((symbol) => symbol !== undefined && !batch.has(symbol)),
    ),
  );
  const names = [...found] as string[];
  if (wanted !== undefined && found.has(wanted)) return wanted;
  if (wanted === undefined && names.length === 1) return names[0]!;
  const isNone = names.length === 0;
  throw new UserError({
    place,
    found: isNone
      ? 'bucket finds no named dynamic dimension beside the batch'
      : wanted === undefined
        ? `bucket finds ${names.length} dynamic dimensions beside the batch`
        : `there is no dynamic dimension "${wanted}"`,
    allowed: isNone ? 'models whose sequence dimension is dynamic and has a name' : `dimension: ${names.join(' or ')}`,
  });
}

/** Symbol of each dimension; undefined where it has a size or no name. */
function symbolsOf({ type }: ValueInfoProto): (string | undefined)[] {
  if (type?.value.case !== 'tensorType') return [];
  return (type.value.value.shape?.dim ?? []).map(({ value }) => (value.case === 'dimParam' ? value.value : undefined));
}

function axesOf(value: ValueInfoProto, symbol: string): number[] {
  return symbolsOf(value).flatMap((each, axis) => (each === symbol ? [axis] : []));
}

function fixed(model: OnnxModel, symbol: string, length: number): OnnxModel {
  const copy = cloneModel(model);
  for (const { type } of [...copy.graph.input, ...copy.graph.output])
    if (type?.value.case === 'tensorType')
      for (const dim of type.value.value.shape?.dim ?? [])
        if (dim.value.case === 'dimParam' && dim.value.value === symbol)
          dim.value = { case: 'dimValue', value: BigInt(length) };
  // Kept types of inner values may no longer be true; the runtime infers them anew.
  copy.graph.valueInfo = [];
  return copy;
}

/** Largest difference of the outputs between a made-up row and the same padded to twice its length. */
async function changeByPadding(model: OnnxModel, symbol: string): Promise<number> {
  const probe = await probeModel(model);
  return withSession(model, [], async (runtime) => {
    const inputs = await probeInputs(runtime, probe, 1);
    const longer = inputs.map((tensor) => resized(tensor, axesOf(named(model.graph.input, tensor.name), symbol), 2));
    const short = await runtime.execute(inputs, 1);
    const long = await runtime.execute(longer, 1);
    const changes = short.map((tensor, i) => {
      const axes = axesOf(named(model.graph.output, tensor.name), symbol);
      return tensor.datatype === 'FP32' ? largestDifference(tensor, resized(long[i]!, axes, 0.5)) : 0;
    });
    return Math.max(0, ...changes);
  });
}

function named(values: readonly ValueInfoProto[], name: string): ValueInfoProto {
  return values.find((value) => value.name === name)!;
}

/** Axes made longer, with zeros behind, or shorter, cut behind. */
function resized(tensor: RuntimeTensor, axes: readonly number[], factor: number): RuntimeTensor {
  return axes.reduce((current, axis) => resizeAxis(current, axis, current.shape[axis]! * factor), tensor);
}

function largestDifference(a: RuntimeTensor, b: RuntimeTensor): number {
  const [x, y] = [new Float32Array(a.buffer), new Float32Array(b.buffer)];
  return x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i]!)), 0);
}
