import type { SampleLibrary } from '../../../clients/samples/index.js';
import { UserError } from '../../../results/errors.js';
import type { Tensor } from '../../../servers/protocol/index.js';
import type { RuntimeTensor } from '../../../servers/runtimes/index.js';
import type { OnnxModel } from '../../onnx/model.js';
import { joinSamples, withSession } from '../../onnx/session.js';
import type { PassContext } from '../contract.js';

const BATCH = 32;

/**
 * Runs the model on `count` samples and shows `see` the FP32 values of each watched tensor, batch by batch, inputs of the
 * model included. The samples are the library's first.
 */
export async function observe(
  model: OnnxModel,
  watched: readonly string[],
  samples: SampleLibrary,
  count: number,
  see: (name: string, values: Float32Array, shape: readonly number[]) => void,
): Promise<number> {
  const wanted = new Set(watched);
  const inputs = new Set(model.graph.input.map(({ name }) => name));
  const total = Math.min(count, samples.totalSampleCount);
  await withSession(
    model,
    watched.filter((name) => !inputs.has(name)),
    async (runtime) => {
      const size = runtime.metadata.inputs.every(({ shape }) => shape[0] === -1) ? BATCH : 1;
      for (let from = 0; from < total; ) {
        const each = alike(samples, from, Math.min(total, from + size));
        const batch = joinSamples(each);
        const rows = each.length;
        from += rows;
        const seen = batch.filter(({ name }) => wanted.has(name)).map(copied);
        const outputs = await runtime.execute(batch, rows);
        for (const tensor of [...seen, ...outputs])
          if (wanted.has(tensor.name) && tensor.datatype === 'FP32')
            see(tensor.name, new Float32Array(tensor.buffer), tensor.shape);
      }
    },
  );
  return total;
}

/** Samples from `from` on, before `to`, as long as their shapes are the first one's: texts differ in length. */
function alike(samples: SampleLibrary, from: number, to: number): (readonly Tensor[])[] {
  const batch = [samples.inputs(from)];
  const shape = shapesOf(batch[0]!);
  for (let at = from + 1; at < to; at++) {
    const next = samples.inputs(at);
    if (shapesOf(next) !== shape) break;
    batch.push(next);
  }
  return batch;
}

function shapesOf(tensors: readonly Tensor[]): string {
  return tensors.map(({ shape }) => shape.join('x')).join(' ');
}

export interface Outputs {
  readonly rows: number;
  readonly width: number;
  readonly values: Float32Array;
}

/** Outputs of the model for samples, FP32, joined: [rows, width] of the first output. */
export async function firstOutputs(model: OnnxModel, samples: SampleLibrary, count: number): Promise<Outputs> {
  const name = model.graph.output[0]!.name;
  const parts: Float32Array[] = [];
  const rows = await observe(model, [name], samples, count, (_name, values) => parts.push(values));
  const values = joined(parts);
  return { rows, width: values.length / rows, values };
}

/** One array of all parts, in order. */
export function joined(parts: readonly Float32Array[]): Float32Array {
  const values = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  return values;
}

/** Samples for a pass that needs them; `what` says for what. Throws UserError with what to give. */
export async function samplesFor(context: PassContext, what: string): Promise<SampleLibrary> {
  try {
    return await context.samples();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.problems.map((problem) => ({ ...problem, found: `${what}: ${problem.found}` })));
  }
}

function copied(tensor: RuntimeTensor): RuntimeTensor {
  return { ...tensor, buffer: tensor.buffer.slice(0) };
}
