import { z } from 'zod';
import { invalid } from '../protocol/tensors.js';
import { defineProcessor } from './contract.js';
import { type Decode, imageDecoder, type Pixels, writeNormalised } from './support/pixels.js';
import { metadata, rowsOfBytes, tensor, tensorNamed } from './support/tensors.js';
import { inputOf } from './support/wrong-model.js';

const three = z.array(z.number()).length(3);

const options = z
  .strictObject({
    shortSide: z.number().int().positive().optional().describe('resize so that the shorter side is this long'),
    crop: z.number().int().positive().optional().describe('then a square of this size from the centre'),
    multipleOf: z.number().int().positive().optional().describe('instead: both sides to the nearest multiple of this'),
    maxSide: z.number().int().positive().default(960).describe('with multipleOf: the longer side at most'),
    kernel: z.enum(['nearest', 'linear', 'cubic', 'mitchell', 'lanczos2', 'lanczos3']).default('cubic'),
    mean: three.default([0, 0, 0]).describe('of values in 0…1, by channel'),
    std: three.default([1, 1, 1]),
    layout: z.enum(['nchw', 'nhwc']).default('nchw'),
  })
  .refine(({ crop, multipleOf }) => (crop === undefined) !== (multipleOf === undefined), 'needs crop or multipleOf');

type Options = z.output<typeof options>;

/**
 * An encoded image a row → the model's only input FP32 [N,3,H,W] (or [N,H,W,3]): resized, cropped, (value/255 − mean)/std.
 * The images of one request must come to one size.
 */
export const image = defineProcessor({
  name: 'image',
  summary: 'JPEG, PNG … → FP32 [N,3,H,W]: resized, cropped, normalised (needs sharp)',
  side: 'pre',
  options,
  async create(chosen, context) {
    const target = inputOf(context, 4);
    const decode = await imageDecoder(context.place);
    return {
      inputs: [metadata('image', 'BYTES', [-1])],
      outputs: [target],
      async run(tensors) {
        const encoded = rowsOfBytes(tensorNamed(tensors, 'image'));
        const images = await Promise.all(encoded.map((each) => fitted(each, chosen, decode)));
        const { height, width } = images[0] ?? { height: 0, width: 0 };
        if (images.some((each) => each.height !== height || each.width !== width))
          throw invalid('the images of this request come to different sizes; send them one by one');
        const values = new Float32Array(images.length * 3 * height * width);
        const size = 3 * height * width;
        for (const [row, each] of images.entries())
          writeNormalised(each, chosen, values.subarray(row * size, (row + 1) * size));
        const shape = chosen.layout === 'nchw' ? [3, height, width] : [height, width, 3];
        return [tensor(target.name, 'FP32', [images.length, ...shape], values)];
      },
    };
  },
});

async function fitted(encoded: Uint8Array, chosen: Options, decode: Decode): Promise<Pixels> {
  const { shortSide, crop, multipleOf, maxSide, kernel } = chosen;
  if (crop !== undefined) {
    const side = Math.max(crop, shortSide ?? crop);
    const whole = await decode(encoded, (picture) =>
      picture.resize({ width: side, height: side, fit: 'outside', kernel }),
    );
    return centre(whole, crop);
  }
  return await decode(encoded, (picture, { height, width }) => {
    const scale = Math.min(1, maxSide / Math.max(height, width));
    const side = (length: number) => Math.max(1, Math.round((length * scale) / multipleOf!)) * multipleOf!;
    return picture.resize({ width: side(width), height: side(height), fit: 'fill', kernel });
  });
}

function centre({ data, height, width }: Pixels, size: number): Pixels {
  const [top, left] = [Math.round((height - size) / 2), Math.round((width - size) / 2)];
  const cut = new Uint8Array(3 * size * size);
  for (let y = 0; y < size; y++) {
    const from = 3 * ((top + y) * width + left);
    cut.set(data.subarray(from, from + 3 * size), 3 * y * size);
  }
  return { data: cut, height: size, width: size };
}
