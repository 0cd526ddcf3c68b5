import { createHash } from 'node:crypto';
import { UserError } from '../../results/errors.js';
import { canonicalDouble, FastRandom, type RandomSource, uniformInt } from '../../results/stats/index.js';
import type { Datatype, Tensor, TensorMetadata } from '../../servers/protocol/index.js';
import { ELEMENT_BYTES, elementCount, joinBytes, toBf16, toFp16 } from '../../servers/protocol/index.js';
import type { SampleDefinition } from './contract.js';
import { sampleShape } from './shapes.js';

const DEFAULT_COUNT = 1024;
const MEMORY_BYTES = 128 * 1024 * 1024;

/**
 * Inputs made up from the model's metadata and a seed: floats in [0,1), integers in 0…9 (valid as token ids or classes),
 * BOOL 0 or 1, BYTES short words. Fewer samples than asked for where they would not fit into 128 MiB.
 */
export const random = {
  name: 'random',
  summary: "Made up by seed to fit the model's metadata: several inputs, every datatype",
  async create({ metadata, seed, count = DEFAULT_COUNT, dims }) {
    const shapes = metadata.inputs.map((input) => sampleShape(input, dims?.[input.name]));
    refuseUnknownDims(metadata.inputs, dims);
    const bytes = metadata.inputs.reduce((sum, input, i) => sum + sizeOf(input.datatype, shapes[i]!), 0);
    const kept = Math.max(1, Math.min(count, Math.floor(MEMORY_BYTES / Math.max(1, bytes))));
    const all = Array.from({ length: kept }, (_, index) => {
      const source = new FastRandom(seed + 0x9e3779b97f4a7c15n * BigInt(index));
      return metadata.inputs.map((input, i) => tensor(input, shapes[i]!, source));
    });
    return {
      name: 'random',
      totalSampleCount: kept,
      performanceSampleCount: kept,
      sha256: hash(all),
      inputs: (index) => all[index]!,
    };
  },
} as const satisfies SampleDefinition;

function tensor(input: TensorMetadata, shape: readonly number[], source: RandomSource): Tensor {
  const count = elementCount(shape);
  const { name, datatype } = input;
  if (datatype === 'BYTES') {
    const words = Array.from({ length: count }, () => Buffer.from(`word-${uniformInt(source, 100_000)}`));
    return { name, datatype, shape, data: joinBytes(words) };
  }
  const size = ELEMENT_BYTES[datatype];
  const data = new Uint8Array(count * size);
  const view = new DataView(data.buffer);
  const write = WRITERS[datatype] ?? smallInteger;
  for (let i = 0; i < count; i++) write(view, i * size, source);
  return { name, datatype, shape, data };
}

type Writer = (view: DataView, at: number, source: RandomSource) => void;

const WRITERS: Partial<Record<Datatype, Writer>> = {
  BOOL: (view, at, source) => view.setUint8(at, uniformInt(source, 2)),
  FP16: (view, at, source) => view.setUint16(at, toFp16(canonicalDouble(source)), true),
  BF16: (view, at, source) => view.setUint16(at, toBf16(canonicalDouble(source)), true),
  FP32: (view, at, source) => view.setFloat32(at, canonicalDouble(source), true),
  FP64: (view, at, source) => view.setFloat64(at, canonicalDouble(source), true),
};

/** 0…9 in the lowest byte, which comes first; the others stay 0. */
const smallInteger: Writer = (view, at, source) => view.setUint8(at, uniformInt(source, 10));

function sizeOf(datatype: Datatype, shape: readonly number[]): number {
  return elementCount(shape) * (ELEMENT_BYTES[datatype] || 16);
}

function hash(samples: readonly (readonly Tensor[])[]): string {
  const sha256 = createHash('sha256');
  for (const tensors of samples)
    for (const each of tensors) sha256.update(`${each.name} ${each.datatype} ${each.shape}\n`).update(each.data);
  return sha256.digest('hex');
}

function refuseUnknownDims(
  inputs: readonly TensorMetadata[],
  dims: Readonly<Record<string, readonly number[]>> | undefined,
): void {
  const unknown = Object.keys(dims ?? {}).filter((name) => !inputs.some((input) => input.name === name));
  if (unknown.length > 0)
    throw new UserError({
      place: `samples.dims.${unknown[0]}`,
      found: 'the model has no input of that name',
      allowed: inputs.map((input) => input.name).join(', '),
    });
}
