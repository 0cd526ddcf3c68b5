import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UserError } from '../../results/errors.js';
import type { Tensor, TensorMetadata } from '../../servers/protocol/index.js';
import { byteCount, showShape } from '../../servers/protocol/index.js';
import type { SampleDefinition } from './contract.js';
import { parseNpy } from './npy-file.js';
import { sampleShape } from './shapes.js';

/**
 * A folder of arrays. Per input either `<input>.npy`, whose first dimension counts the samples, or a folder `<input>/` with
 * one `.npy` or raw file (`.bin`, `.raw`: bytes as on the wire) a sample, in order of the numbers in their names.
 * `labels.npy` (integers, one a sample), where it is there, holds the right answers.
 */
export const npy = {
  name: 'npy',
  summary: 'A folder of .npy or raw files: <input>.npy (samples × shape) or <input>/<n>.npy',
  async create({ metadata, directory, count, dims }) {
    if (!directory) throw new UserError({ place: 'samples npy', found: 'no folder is named', remedy: 'Set directory' });
    // One after the other: of several missing inputs the first is named, always.
    const columns: Tensor[][] = [];
    for (const input of metadata.inputs) columns.push(await readInput(directory, input, dims?.[input.name]));
    const available = columns.map((column) => column.length);
    const found = Math.min(...available);
    if (Math.max(...available) !== found) throw differentCounts(directory, metadata.inputs, available);
    const total = Math.min(found, count ?? found);
    const labels = await readLabels(join(directory, 'labels.npy'), found);
    const sha256 = createHash('sha256');
    for (const column of columns) for (const each of column) sha256.update(each.name).update(each.data);
    return {
      name: 'npy',
      totalSampleCount: total,
      performanceSampleCount: total,
      sha256: sha256.digest('hex'),
      inputs: (index) => columns.map((column) => column[index]!),
      ...(labels && { label: (index: number) => labels[index]! }),
    };
  },
} as const satisfies SampleDefinition;

async function readInput(
  directory: string,
  input: TensorMetadata,
  dims: readonly number[] | undefined,
): Promise<Tensor[]> {
  const whole = join(directory, `${input.name}.npy`);
  if (await isFile(whole)) return splitSamples(whole, input, await read(whole));
  const folder = join(directory, input.name);
  const names = await readdir(folder).catch(() => [] as string[]);
  const files = names.filter((name) => /\.(npy|bin|raw)$/.test(name)).sort(byNumber);
  if (files.length === 0)
    throw new UserError({
      place: directory,
      found: `has neither ${input.name}.npy nor a folder ${input.name}/ with .npy, .bin or .raw files`,
      allowed: 'one of them for each input of the model',
    });
  return await Promise.all(files.map(async (name) => oneSample(join(folder, name), input, dims)));
}

function splitSamples(place: string, input: TensorMetadata, bytes: Buffer): Tensor[] {
  const array = parse(place, input, bytes);
  const [samples = 0, ...rest] = array.shape;
  // [samples, …row] for a model of [−1, …row]; a model without a batch dimension takes each slice as it is.
  const shape = rest.length === input.shape.length ? rest : [1, ...rest];
  checkShape(place, input, shape);
  const size = samples > 0 ? array.data.length / samples : 0;
  return Array.from({ length: samples }, (_, i) => ({
    name: input.name,
    datatype: input.datatype,
    shape,
    data: array.data.subarray(i * size, (i + 1) * size),
  }));
}

async function oneSample(place: string, input: TensorMetadata, dims: readonly number[] | undefined): Promise<Tensor> {
  const bytes = await read(place);
  const { name, datatype } = input;
  if (!place.endsWith('.npy')) {
    const shape = sampleShape(input, dims);
    const expected = byteCount(datatype, shape);
    if (expected !== undefined && bytes.length !== expected)
      throw new UserError({
        place,
        found: `holds ${bytes.length} bytes`,
        allowed: `${expected} bytes for ${datatype} ${showShape(shape)}`,
      });
    return { name, datatype, shape, data: bytes };
  }
  const array = parse(place, input, bytes);
  const shape = array.shape.length === input.shape.length - 1 ? [1, ...array.shape] : array.shape;
  checkShape(place, input, shape);
  return { name, datatype, shape, data: array.data };
}

function parse(place: string, input: TensorMetadata, bytes: Buffer) {
  let array: ReturnType<typeof parseNpy>;
  try {
    array = parseNpy(bytes);
  } catch (error) {
    throw new UserError({ place, found: messageOf(error) }, { cause: error });
  }
  if (array.datatype === input.datatype) return array;
  throw new UserError({
    place,
    found: `holds ${array.datatype}`,
    allowed: `${input.datatype}, as input "${input.name}" asks`,
  });
}

function checkShape(place: string, input: TensorMetadata, shape: readonly number[]): void {
  const fits =
    shape.length === input.shape.length && shape.every((dim, i) => input.shape[i] === -1 || input.shape[i] === dim);
  if (!fits)
    throw new UserError({
      place,
      found: `a sample has shape ${showShape(shape)}`,
      allowed: `${showShape(input.shape)} for input "${input.name}", where −1 is any size`,
    });
}

async function readLabels(place: string, samples: number): Promise<number[] | undefined> {
  if (!(await isFile(place))) return undefined;
  const { datatype, data, shape } = parseNpy(await read(place));
  const size = data.length / Math.max(1, shape[0] ?? 0);
  if (!/^U?INT/.test(datatype) || shape.length !== 1 || shape[0] !== samples)
    throw new UserError({
      place,
      found: `holds ${datatype} ${showShape(shape)}`,
      allowed: `integers ${showShape([samples])}: one class a sample`,
    });
  const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  // Classes fit into 48 bits whatever their type; the upper bytes of a 64-bit integer are 0.
  return Array.from({ length: samples }, (_, i) => view.readUIntLE(i * size, Math.min(size, 6)));
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UserError({ place: path, found: `can't be read (${messageOf(error)})` }, { cause: error });
  }
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function differentCounts(directory: string, inputs: readonly TensorMetadata[], counts: readonly number[]): UserError {
  return new UserError({
    place: directory,
    found: `inputs have different numbers of samples: ${inputs.map((input, i) => `${input.name} ${counts[i]}`).join(', ')}`,
    allowed: 'the same number for each input',
  });
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
