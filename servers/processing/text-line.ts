import { z } from 'zod';
import { defineProcessor } from './contract.js';
import { imageDecoder } from './support/pixels.js';
import { metadata, rowsOfBytes, tensor, tensorNamed } from './support/tensors.js';
import { atHeight, lineBatch } from './support/text-lines.js';
import { fixedHeight, inputOf } from './support/wrong-model.js';

/**
 * An encoded image of one line of text a row → a recogniser's input FP32 [N,3,H,W]: at the model's height, (value/255 −
 * .5)/.5, padded at the right with 0 to the widest line. Source: PaddleOCR, resize_norm_img of its recogniser.
 */
export const textLine = defineProcessor({
  name: 'text-line',
  summary: 'Images of lines of text → FP32 [N,3,48,W] of the widest (needs sharp)',
  side: 'pre',
  options: z.strictObject({
    height: z.number().int().positive().optional().describe('of a model whose height is open'),
  }),
  async create(options, context) {
    const target = inputOf(context, 4);
    const height = options.height ?? fixedHeight(target, context);
    const decode = await imageDecoder(context.place);
    return {
      inputs: [metadata('image', 'BYTES', [-1])],
      outputs: [target],
      async run(tensors) {
        const encoded = rowsOfBytes(tensorNamed(tensors, 'image'));
        const images = await Promise.all(encoded.map((each) => decode(each, atHeight(height))));
        const { values, shape } = lineBatch(images);
        return [tensor(target.name, 'FP32', shape, values)];
      },
    };
  },
});
