import { z } from 'zod';
import { UserError } from '../../results/errors.js';
import { toOnnx } from '../train/to-onnx.js';
import { definePass } from './contract.js';
import { finished, prepare, refuseQuantized } from './support/prepare.js';
import { fineTune, training } from './support/training.js';
import { elementsOfValue } from './support/values.js';

const options = z.strictObject({
  ...training,
  /** Hidden widths of the student. */
  hidden: z.array(z.number().int().positive()).min(1).default([128]),
  epochs: z.number().int().positive().default(5),
  rate: z.number().positive().default(1e-3),
});

/**
 * A small dense net trained here, from seeded random weights, on what the given model answers (mean squared error of its
 * first output), or on labels. The teacher can be any model with one FP32 input [N, width] and an FP32 first output
 * [N, width]. Source: Hinton et al., *Distilling the knowledge*; Ba and Caruana, *Do deep nets really need to be deep* (logits).
 */
export const distill = definePass({
  name: 'distill',
  summary: 'a small dense student trained on the model’s outputs, seeded',
  options,
  apply: async (original, parsed, context) => {
    refuseQuantized(original, context);
    const prepared = prepare(original, context);
    const { model } = prepared;
    const [input, output] = [model.graph.input[0]!, model.graph.output[0]!];
    const [width, answers] = [elementsOfValue(input), elementsOfValue(output)];
    if (model.graph.input.length !== 1 || width === undefined || answers === undefined)
      throw new UserError({
        place: context.place,
        found: 'distill trains a dense student, and this model takes or gives something else',
        allowed: 'models with one FP32 input [N, width] and an FP32 first output [N, width] of known widths',
      });
    const widths = [width, ...parsed.hidden, answers];
    const tuned = await fineTune({ widths }, model, parsed, context);
    const layers = tuned.layers.map(({ weights, bias }) => ({
      weights,
      bias,
      inputs: weights.length / bias.length,
      outputs: bias.length,
    }));
    const student = toOnnx('student', layers, widths, {}, { input: input.name, output: output.name });
    return finished({ model: student, notes: prepared.notes }, { widths, training: tuned.facts });
  },
});
