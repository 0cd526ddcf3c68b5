import { z } from 'zod';
import { joinBytes } from '../protocol/tensors.js';
import { defineProcessor } from './contract.js';
import { readLabels } from './support/labels.js';
import { floats, metadata, tensor } from './support/tensors.js';
import { outputOf } from './support/wrong-model.js';

const options = z.strictObject({
  best: z.number().int().min(1).max(1000).default(1).describe('how many classes, the likeliest first'),
  output: z.string().optional().describe('of the model; default: the first one'),
  softmax: z.boolean().default(false).describe('the model’s scores are logits'),
  labelsUnder: z.string().optional().describe('key of the names in a JSON file'),
});

/**
 * Scores FP32 [N,C] → class INT32 [N,k] and score FP32 [N,k], the likeliest first (of equals the first), and label BYTES
 * [N,k] where the model has a file `labels`.
 */
export const classes = defineProcessor({
  name: 'classes',
  summary: 'Scores FP32 [N,C] → the likeliest classes, their scores and names',
  side: 'post',
  options,
  async create({ best, output, softmax, labelsUnder }, context) {
    const source = outputOf(context, output, 2);
    const names = context.files.labels === undefined ? undefined : readLabels(context.files.labels, labelsUnder);
    const shape = [-1, best];
    return {
      inputs: [source],
      outputs: [
        metadata('class', 'INT32', shape),
        metadata('score', 'FP32', shape),
        ...(names ? [metadata('label', 'BYTES', shape)] : []),
      ],
      run([scores]) {
        const [rows, width] = scores!.shape as [number, number];
        const values = floats(scores!);
        const kept = Math.min(best, width);
        const found = new Int32Array(rows * kept);
        const likely = new Float32Array(rows * kept);
        for (let row = 0; row < rows; row++) {
          const own = values.subarray(row * width, (row + 1) * width);
          const top = likeliest(own, kept);
          const scaled = softmax ? probabilities(own) : own;
          found.set(top, row * kept);
          for (const [i, index] of top.entries()) likely[row * kept + i] = scaled[index]!;
        }
        const labels = names && Array.from(found, (index) => Buffer.from(names[index] ?? String(index)));
        return [
          tensor('class', 'INT32', [rows, kept], found),
          tensor('score', 'FP32', [rows, kept], likely),
          ...(labels ? [tensor('label', 'BYTES', [rows, kept], joinBytes(labels))] : []),
        ];
      },
    };
  },
});

/** Indices of the k largest; k is small. */
function likeliest(values: Float32Array, k: number): number[] {
  const top: number[] = [];
  for (let i = 0; i < values.length; i++) {
    let at = top.length;
    while (at > 0 && values[i]! > values[top[at - 1]!]!) at--;
    if (at < k) {
      top.splice(at, 0, i);
      if (top.length > k) top.pop();
    }
  }
  return top;
}

function probabilities(logits: Float32Array): Float32Array {
  const most = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const grown = logits.map((value) => Math.exp(value - most));
  const sum = grown.reduce((a, b) => a + b, 0);
  return grown.map((value) => value / sum);
}
