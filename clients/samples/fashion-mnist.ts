import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { messageOf, UserError } from '../../results/errors.js';
import { packageRoot } from '../../results/package.js';
import type { ModelMetadata, TensorMetadata } from '../../servers/protocol/index.js';
import { showShape } from '../../servers/protocol/index.js';
import type { SampleDefinition, SampleLibrary } from './contract.js';

const PIXELS = 784;
const CLASSES = 10;
/** Enough for variety, few enough to be encoded in a moment on every transport. */
const PERFORMANCE_COUNT = 1024;

/**
 * The 10,000 test images of Fashion-MNIST (Zalando, MIT) with their labels. Sample: the model's only input, FP32 [1,784],
 * pixel / 255 row by row. Source: the idx files beside this one.
 */
export const fashionMnist = {
  name: 'fashion-mnist',
  summary: 'The 10,000 test images of Fashion-MNIST with labels: FP32 [1,784], pixel / 255',
  create: ({ metadata, directory }) => {
    const folder = directory ? pathToFileURL(`${directory}/`) : new URL('clients/samples/fashion-mnist/', packageRoot);
    return fashionImages(metadata, {
      name: 'fashion-mnist',
      folder,
      part: 't10k',
      remedy: 'Restore the file from the repository',
    });
  },
} as const satisfies SampleDefinition;

/** Images and labels of the idx files in a folder, as samples. Throws UserError, with `remedy` where a file is wrong or absent. */
export async function fashionImages(
  metadata: ModelMetadata,
  source: { readonly name: string; readonly folder: URL; readonly part: 't10k' | 'train'; readonly remedy: string },
): Promise<SampleLibrary> {
  const { name, folder, part, remedy } = source;
  const input = onlyInput(metadata, name);
  const images = await readIdx(new URL(`${part}-images-idx3-ubyte.gz`, folder), 3, remedy);
  const labels = await readIdx(new URL(`${part}-labels-idx1-ubyte.gz`, folder), 1, remedy);
  const count = labels.length;
  return {
    name,
    totalSampleCount: count,
    performanceSampleCount: Math.min(count, PERFORMANCE_COUNT),
    sha256: createHash('sha256').update(images).update(labels).digest('hex'),
    inputs: (index) => [{ name: input.name, datatype: 'FP32', shape: [1, PIXELS], data: scaled(images, index) }],
    label: (index) => labels[index]!,
  };
}

/** Image `index` as FP32 bytes. Made when asked for: a performance run needs a tenth of them. */
function scaled(images: Uint8Array, index: number): Uint8Array {
  const pixels = new Float32Array(PIXELS);
  for (let i = 0, at = index * PIXELS; i < PIXELS; i++, at++) pixels[i] = images[at]! / 255;
  return new Uint8Array(pixels.buffer);
}

function onlyInput(metadata: ModelMetadata, name: string): TensorMetadata {
  const input = metadata.inputs[0];
  const rowShape = input?.shape.slice(1);
  const elements = rowShape?.reduce((product, dim) => product * dim, 1);
  if (
    input &&
    metadata.inputs.length === 1 &&
    input.datatype === 'FP32' &&
    elements === PIXELS &&
    rowShape?.length === 1
  )
    return input;
  const found = metadata.inputs.map((each) => `${each.name} ${each.datatype} ${showShape(each.shape)}`).join(', ');
  throw new UserError({
    place: `samples ${name}`,
    found: `model "${metadata.name}" takes ${found || 'no input'}`,
    allowed: `one input FP32 [N,${PIXELS}]`,
    remedy: `Use the samples "random" for it, or a model of ${CLASSES} classes that takes ${PIXELS} pixels`,
  });
}

/** The content behind an idx header: magic 0 0 8 dimensions, then each dimension as a big-endian 32-bit integer. */
async function readIdx(file: URL, dimensions: number, remedy: string): Promise<Uint8Array> {
  const place = fileURLToPath(file);
  const bytes = await readFile(file).then(gunzipSync, (error: unknown) => {
    throw new UserError({ place, found: `can't be read (${messageOf(error)})`, remedy }, { cause: error });
  });
  const header = 4 + 4 * dimensions;
  let expected = 1;
  for (let at = 4; at < header && bytes.length >= header; at += 4) expected *= bytes.readUInt32BE(at);
  if (bytes.length < header || bytes.readUInt32BE(0) !== 0x800 + dimensions || bytes.length !== header + expected)
    throw new UserError({
      place,
      found: `is no idx file of ${dimensions} dimensions (${bytes.length} bytes after unpacking)`,
      remedy,
    });
  return bytes.subarray(header);
}
