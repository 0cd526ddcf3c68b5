import { z } from 'zod';
import { invalid } from '../protocol/tensors.js';
import { defineProcessor } from './contract.js';
import { imageDecoder } from './support/pixels.js';
import { floats, metadata, rowsOfBytes, tensor, tensorNamed } from './support/tensors.js';
import { atHeight, lineBatch } from './support/text-lines.js';
import { fixedHeight, inputOf } from './support/wrong-model.js';

/**
 * The join of an OCR chain: an encoded image [1] and the boxes that `text-boxes` found in it [1,K,5] → a recogniser's input
 * FP32 [K,3,H,W], one row a box whose score is above 0, as `text-line` makes them.
 */
export const textCrops = defineProcessor({
  name: 'text-crops',
  summary: 'An image and the boxes found in it → its lines of text, FP32 [K,3,48,W] (needs sharp)',
  side: 'pre',
  options: z.strictObject({}),
  async create(_options, context) {
    const target = inputOf(context, 4);
    const height = fixedHeight(target, context);
    const decode = await imageDecoder(context.place);
    return {
      inputs: [metadata('image', 'BYTES', [-1]), metadata('boxes', 'FP32', [-1, -1, 5])],
      outputs: [target],
      async run(tensors) {
        const encoded = rowsOfBytes(tensorNamed(tensors, 'image'));
        if (encoded.length !== 1) throw invalid(`input "image" has ${encoded.length} rows; expected 1`);
        const boxes = floats(tensorNamed(tensors, 'boxes'));
        const crops = [];
        for (let at = 0; at + 5 <= boxes.length; at += 5)
          if (boxes[at + 4]! > 0) crops.push(decode(encoded[0]!, cropAt(boxes.subarray(at, at + 4), height)));
        const { values, shape } = lineBatch(await Promise.all(crops));
        return [tensor(target.name, 'FP32', [shape[0]!, 3, height, shape[3]!], values)];
      },
    };
  },
});

/** Fractions of the sides: left, top, right, bottom. */
function cropAt(box: Float32Array, height: number): Parameters<Awaited<ReturnType<typeof imageDecoder>>>[1] {
  return (image, size) => {
    const [left, top] = [Math.floor(box[0]! * size.width), Math.floor(box[1]! * size.height)];
    const width = Math.max(1, Math.min(size.width, Math.ceil(box[2]! * size.width)) - left);
    const rows = Math.max(1, Math.min(size.height, Math.ceil(box[3]! * size.height)) - top);
    return atHeight(height)(image.extract({ left, top, width, height: rows }), { width, height: rows });
  };
}
