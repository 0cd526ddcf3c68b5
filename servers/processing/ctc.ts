import { z } from 'zod';
import { joinBytes } from '../protocol/tensors.js';
import { defineProcessor } from './contract.js';
import { lines, read } from './support/labels.js';
import { floats, metadata, tensor } from './support/tensors.js';
import { outputOf, wrongModel } from './support/wrong-model.js';

/**
 * Greedy CTC: FP32 [N,T,C] → text BYTES [N] and score FP32 [N], the mean probability of the characters that were kept (0 for
 * an empty text). At each step the likeliest class; repeats count once; class 0 is blank, class i the character in line i of
 * the file `keys`, a class beyond them a space. Source: Graves et al., ICML 2006, best path decoding.
 */
export const ctc = defineProcessor({
  name: 'ctc',
  summary: 'FP32 [N,T,C] of a recogniser → text: greedy CTC over the characters in the file keys',
  side: 'post',
  options: z.strictObject({}),
  needs: ['keys'],
  async create(_options, context) {
    const source = outputOf(context, undefined, 3);
    const keys = lines(read(context.files.keys!));
    const classes = source.shape[2]!;
    if (classes !== -1 && classes !== keys.length + 1 && classes !== keys.length + 2)
      throw wrongModel(
        context,
        'outputs',
        [source],
        `${keys.length + 1} or ${keys.length + 2} classes, for ${keys.length} keys`,
      );
    return {
      inputs: [source],
      outputs: [metadata('text', 'BYTES', [-1]), metadata('score', 'FP32', [-1])],
      run([output]) {
        const [rows, steps, width] = output!.shape as [number, number, number];
        const values = floats(output!);
        const scores = new Float32Array(rows);
        const texts = Array.from({ length: rows }, (_, row) => {
          const { text, score } = bestPath(
            values.subarray(row * steps * width, (row + 1) * steps * width),
            width,
            keys,
          );
          scores[row] = score;
          return Buffer.from(text);
        });
        return [tensor('text', 'BYTES', [rows], joinBytes(texts)), tensor('score', 'FP32', [rows], scores)];
      },
    };
  },
});

function bestPath(values: Float32Array, width: number, keys: readonly string[]): { text: string; score: number } {
  let [text, sum, kept, last] = ['', 0, 0, 0];
  for (let from = 0; from < values.length; from += width) {
    let best = 0;
    for (let i = 1; i < width; i++) if (values[from + i]! > values[from + best]!) best = i;
    if (best !== 0 && best !== last) {
      text += keys[best - 1] ?? ' ';
      sum += values[from + best]!;
      kept++;
    }
    last = best;
  }
  return { text, score: kept === 0 ? 0 : sum / kept };
}
