import type sharp from 'sharp';
import type { Sharp } from 'sharp';
import { messageOf, UserError } from '../../../results/errors.js';
import { invalid } from '../../protocol/tensors.js';

/** An image of three channels, RGB, row by row. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** `change` is told the size of the image as it is encoded. */
export type Decode = (
  encoded: Uint8Array,
  change?: (image: Sharp, size: Pick<Pixels, 'height' | 'width'>) => Sharp,
) => Promise<Pixels>;

/**
 * Decodes what sharp knows (JPEG, PNG, WebP, GIF, TIFF …), transparency over white, and changes it on the way. One thread an
 * image: a server's processors belong to its instances. Throws UserError where sharp is not installed; `Decode` throws
 * INVALID_ARGUMENT for what is no image.
 */
export async function imageDecoder(place: string): Promise<Decode> {
  const load = await loadSharp(place);
  return async (encoded, change = (image) => image) => {
    try {
      const source = load(encoded).flatten({ background: '#ffffff' }).toColourspace('srgb');
      const image = change(source, await source.metadata());
      const { data, info } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true });
      return { data: info.channels === 3 ? data : threefold(data), height: info.height, width: info.width };
    } catch (error) {
      throw invalid(`an image can't be decoded: ${messageOf(error)}`);
    }
  };
}

/** One thread an image. Throws UserError where sharp is not installed. */
export async function loadSharp(place: string): Promise<typeof sharp> {
  const load = await import('sharp').catch((error: unknown) => {
    throw new UserError(
      {
        place,
        found: `images need the package sharp, which can't be loaded (${messageOf(error).split('\n')[0]})`,
        remedy: 'npm install sharp, or send tensors (processing: none)',
      },
      { cause: error },
    );
  });
  load.default.concurrency(1);
  return load.default;
}

/** Grey to RGB. */
function threefold(grey: Uint8Array): Uint8Array {
  const data = new Uint8Array(3 * grey.length);
  for (let i = 0; i < grey.length; i++) data.fill(grey[i]!, 3 * i, 3 * i + 3);
  return data;
}

export interface Normalisation {
  /** Of values in 0…1, by channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly layout: 'nchw' | 'nhwc';
}

/** Writes (value/255 − mean)/std into one row of a batch, `width` wide: what is left at the right stays 0. */
export function writeNormalised(
  { data, height, width }: Pixels,
  { mean, std, layout }: Normalisation,
  into: Float32Array,
  rowWidth = width,
): void {
  const plane = height * rowWidth;
  for (let channel = 0; channel < 3; channel++) {
    const [scale, shift] = [1 / (255 * std[channel]!), mean[channel]! / std[channel]!];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const at = y * rowWidth + x;
        into[layout === 'nchw' ? channel * plane + at : 3 * at + channel] =
          data[3 * (y * width + x) + channel]! * scale - shift;
      }
  }
}
