import { z } from 'zod';
import { defineProcessor } from './contract.js';
import { floats, metadata, tensor } from './support/tensors.js';
import { outputOf } from './support/wrong-model.js';

const options = z.strictObject({
  output: z.string().optional().describe('of the model; default: the first one'),
});

/** An embedding FP32 [N,D] → embedding FP32 [N,D] of length 1, so that a dot product is a cosine. A zero stays one. */
export const unitVector = defineProcessor({
  name: 'unit-vector',
  summary: 'An embedding FP32 [N,D] → the same at length 1',
  side: 'post',
  options,
  async create({ output }, context) {
    const source = outputOf(context, output, 2);
    return {
      inputs: [source],
      outputs: [metadata('embedding', 'FP32', source.shape)],
      run([given]) {
        const values = Float32Array.from(floats(given!));
        const width = given!.shape[1]!;
        for (let from = 0; from < values.length; from += width) {
          const row = values.subarray(from, from + width);
          const length = Math.hypot(...row);
          if (length > 0) for (let i = 0; i < width; i++) row[i]! /= length;
        }
        return [tensor('embedding', 'FP32', given!.shape, values)];
      },
    };
  },
});
