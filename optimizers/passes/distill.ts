import { z } from 'zod';
import { UserError } from '../../results/errors.js';
import { node } from '../onnx/build.js';
import type { OnnxModel } from '../onnx/model.js';
import { toOnnx } from '../train/to-onnx.js';
import { definePass, type PassContext } from './contract.js';
import { finished, prepare, refuseQuantized } from './support/prepare.js';
import { readTokens, sharesOfTokens, type TokenReading } from './support/token-student.js';
import { fineTune, training } from './support/training.js';
import { elementsOfValue, tokensOfValue } from './support/values.js';

const options = z.strictObject({
  ...training,
  /** Hidden widths of the student. */
  hidden: z.array(z.number().int().positive()).min(1).default([128]),
  epochs: z.number().int().positive().default(5),
  rate: z.number().positive().default(1e-3),
  /** Of models of tokens: these are below it. */
  vocabulary: z.number().int().positive().optional(),
  /** Of models of tokens: the student sees how often each token stands in each of so many equal stretches. */
  windows: z.number().int().positive().default(8),
});

type Options = z.output<typeof options>;

/**
 * A small dense net trained here, from seeded random weights, on what the given model answers (mean squared error of its
 * first output; of their logarithms where they are probabilities, with a Softmax behind the student), or on labels. The teacher can be any model with one FP32 input [N, width],
 * or one of tokens INT32 or INT64, and an FP32 first output [N, width]. Source: Hinton et al., *Distilling the knowledge*; Ba
 * and Caruana, *Do deep nets really need to be deep* (logits); for tokens Joulin et al., *Bag of tricks for efficient text
 * classification*.
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
    const answers = elementsOfValue(output);
    const tokens = readingOf(model, parsed, context);
    const width = tokens ? tokens.windows * tokens.vocabulary : elementsOfValue(input);
    if (model.graph.input.length !== 1 || width === undefined || answers === undefined)
      throw new UserError({
        place: context.place,
        found: 'distill trains a dense student, and this model takes or gives something else',
        allowed:
          'models with one input, FP32 [N, width] or tokens INT32 or INT64 [N, width], and an FP32 first output [N, width], of known widths',
      });
    const widths = [width, ...parsed.hidden, answers];
    let isClassifier = false;
    const tuned = await fineTune({ widths }, model, parsed, context, {
      ...(tokens && { features: (sample) => sharesOfTokens(sample, tokens) }),
      answers: ({ values, width: classes, ...goal }) => {
        isClassifier = areProbabilities(values, classes);
        return { ...goal, width: classes, values: isClassifier ? values.map(logOf) : values };
      },
    });
    const layers = tuned.layers.map(({ weights, bias }) => ({
      weights,
      bias,
      inputs: weights.length / bias.length,
      outputs: bias.length,
    }));
    const names = { input: tokens ? 'shares' : input.name, output: isClassifier ? 'logits' : output.name };
    const student = toOnnx('student', layers, widths, {}, names);
    if (isClassifier) {
      student.graph.node.push(node('Softmax', ['logits'], [output.name], { axis: -1n }));
      student.graph.output[0]!.name = output.name;
    }
    if (tokens) readTokens(student, input, tokens);
    return finished({ model: student, notes: prepared.notes }, { widths, ...tokens, training: tuned.facts });
  },
});

/** How the student reads a model's tokens; undefined where it takes none. Throws UserError where options do not fit. */
function readingOf(
  { graph }: OnnxModel,
  { vocabulary, windows, mixed }: Options,
  { place }: Pick<PassContext, 'place'>,
): TokenReading | undefined {
  const width = tokensOfValue(graph.input[0]!);
  if (width === undefined) return undefined;
  const wrong = (found: string, allowed: string) => new UserError({ place: `${place}: distill`, found, allowed });
  if (vocabulary === undefined) throw wrong('this model takes tokens', 'vocabulary: how many there are');
  if (mixed > 0) throw wrong('tokens do not mix', 'mixed: 0');
  if (width % windows !== 0) throw wrong(`windows: ${windows} do not divide ${width} tokens`, 'a divisor');
  return { width, vocabulary, windows };
}

/** Rows that are nowhere negative and sum to 1: what a Softmax answers, also one that is spelt out. */
function areProbabilities(values: Float32Array, classes: number): boolean {
  if (classes < 2 || values.some((value) => !(value >= 0))) return false;
  for (let row = 0; row < values.length; row += classes)
    if (Math.abs(values.subarray(row, row + classes).reduce((a, b) => a + b, 0) - 1) > 1e-3) return false;
  return true;
}

/** Logits of a probability; what is rarer than one in a million counts as that. */
function logOf(probability: number): number {
  return Math.log(Math.max(probability, 1e-6));
}
