import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { messageOf, UserError } from '../../results/errors.js';

export interface LabelledImages {
  readonly count: number;
  /** One byte a pixel, [count, 28·28]. */
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

/** Where Debian's package puts the files. */
export const DEBIAN_FOLDER = '/usr/share/datasets/fashion-mnist';

/** Reads the training or the test set. Throws UserError where a file is absent or no such file. */
export function readFashionMnist(folder: string, part: 'train' | 't10k'): LabelledImages {
  const images = readIdx(join(folder, `${part}-images-idx3-ubyte.gz`), 3);
  const labels = readIdx(join(folder, `${part}-labels-idx1-ubyte.gz`), 1);
  return { count: images.dims[0]!, pixels: images.data, labels: labels.data };
}

/** An IDX file: two zero bytes, type 8 (bytes), rank, big-endian dimensions, data. Source: the MNIST file format. */
function readIdx(path: string, rank: number): { readonly dims: readonly number[]; readonly data: Uint8Array } {
  const bytes = unpacked(path);
  const dims = Array.from({ length: rank }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  const size = dims.reduce((a, b) => a * b, 1);
  const data = bytes.subarray(4 + 4 * rank);
  if (bytes.readUInt32BE(0) === 0x0800 + rank && data.length === size) return { dims, data };
  throw new UserError({ place: path, found: `no IDX file of rank ${rank} with ${size} bytes of data` });
}

function unpacked(path: string): Buffer {
  if (!existsSync(path)) {
    throw new UserError({
      place: path,
      found: 'there is no such file',
      allowed: "a folder with Fashion-MNIST's four gzipped IDX files",
      remedy: 'Install the Debian package dataset-fashion-mnist, or name the folder with --data',
    });
  }
  try {
    return gunzipSync(readFileSync(path));
  } catch (error) {
    throw new UserError({ place: path, found: `can't be unpacked (${messageOf(error)})` }, { cause: error });
  }
}
