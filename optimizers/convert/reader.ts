import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf, UserError } from '../../results/errors.js';
import { fromFp16 } from '../../servers/protocol/index.js';

/** A model.json of TensorFlow.js with its weights, values as FP32 (INT32 where they were whole). */
export interface TfjsModel {
  readonly path: string;
  readonly format: 'graph-model' | 'layers-model';
  readonly topology: Readonly<Record<string, unknown>>;
  readonly signature: Signature | undefined;
  readonly weights: ReadonlyMap<string, TfjsWeight>;
}

export interface Signature {
  readonly inputs?: Readonly<Record<string, { readonly name: string }>>;
  readonly outputs?: Readonly<Record<string, { readonly name: string }>>;
}

export interface TfjsWeight {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: { readonly dtype: string; readonly min?: number; readonly scale?: number };
}

/** Reads model.json and the files that its manifest names. Throws UserError where one is missing, cut short or of unknown form. */
export function readTfjs(path: string): TfjsModel {
  return tfjsModel(parse(path), (name) => readShard(join(dirname(path), name), path), path);
}

/** A model of what a model.json holds, and of its manifest's files by name. Throws UserError as `readTfjs`. */
export function tfjsModel(
  json: Readonly<Record<string, unknown>>,
  shard: (name: string) => Buffer,
  path: string,
): TfjsModel {
  const topology = json.modelTopology as Record<string, unknown> | undefined;
  const manifest = json.weightsManifest as { paths: string[]; weights: WeightEntry[] }[] | undefined;
  if (topology === undefined || !Array.isArray(manifest))
    throw new UserError({
      place: path,
      found: 'it holds no modelTopology with a weightsManifest',
      allowed: 'the model.json of a TensorFlow.js graph model or layers model',
    });
  const weights = new Map<string, TfjsWeight>();
  for (const { paths, weights: entries } of manifest) {
    const bytes = Buffer.concat(paths.map(shard));
    let at = 0;
    for (const entry of entries) {
      const [weight, length] = decode(entry, bytes, at, path);
      weights.set(entry.name, weight);
      at += length;
    }
  }
  const format = Array.isArray(topology.node) ? 'graph-model' : 'layers-model';
  return { path, format, topology, weights, signature: json.signature as Signature | undefined };
}

function parse(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw new UserError({ place: path, found: `can't be read as JSON (${messageOf(error)})` }, { cause: error });
  }
}

function readShard(file: string, path: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError(
      { place: file, found: `can't be read (${messageOf(error)})`, remedy: `Put the weights beside ${path}` },
      { cause: error },
    );
  }
}

const BYTES: Readonly<Record<string, number>> = { float32: 4, int32: 4, float16: 2, uint16: 2, uint8: 1, bool: 1 };

/** One weight and its length in bytes. Quantised ones are q · scale + min. */
function decode(
  { name, shape, dtype, quantization }: WeightEntry,
  bytes: Buffer,
  at: number,
  path: string,
): [TfjsWeight, number] {
  const stored = quantization?.dtype ?? dtype;
  const size = BYTES[stored];
  const count = shape.reduce((product, dim) => product * dim, 1);
  if (size === undefined)
    throw new UserError({
      place: `${path} "${name}"`,
      found: `its weights are ${stored}`,
      allowed: Object.keys(BYTES).join(', '),
    });
  if (at + count * size > bytes.length)
    throw new UserError({
      place: `${path} "${name}"`,
      found: `the weight files end before it does`,
      remedy: 'Fetch them again',
    });
  const read = READ[stored]!;
  const { scale = 1, min = 0 } = quantization ?? {};
  const isAffine = quantization !== undefined && stored !== 'float16';
  const value = (i: number) => (isAffine ? read(bytes, at + i * size) * scale + min : read(bytes, at + i * size));
  const values = new (dtype === 'int32' || dtype === 'bool' ? Int32Array : Float32Array)(count);
  for (let i = 0; i < count; i++) values[i] = value(i);
  return [{ shape, values }, count * size];
}

const READ: Readonly<Record<string, (bytes: Buffer, at: number) => number>> = {
  float32: (bytes, at) => bytes.readFloatLE(at),
  int32: (bytes, at) => bytes.readInt32LE(at),
  float16: (bytes, at) => fromFp16(bytes.readUInt16LE(at)),
  uint16: (bytes, at) => bytes.readUInt16LE(at),
  uint8: (bytes, at) => bytes.readUInt8(at),
  bool: (bytes, at) => bytes.readUInt8(at),
};
