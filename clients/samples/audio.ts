import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../results/errors.js';
import { canonicalDouble, FastRandom } from '../../results/stats/index.js';
import { showShape } from '../../servers/protocol/index.js';
import type { SampleDefinition } from './contract.js';

const RATE = 16_000;
const DEFAULT_SECONDS = 60;

/**
 * Sound at 16 kHz in steps as long as the model's input, one after the other: FP32 [1,W], −1 … 1. Of the WAV files of a
 * directory (16 bit, mono) in order of their names; without one made by seed: bursts of tones and noise, half a second each,
 * and silence between them.
 */
export const audio = {
  name: 'audio',
  summary: 'Sound at 16 kHz in steps of the model’s input: WAV files of a directory, or tones and silence made by seed',
  async create({ metadata, seed, directory, count }) {
    const [input] = metadata.inputs;
    const width = input?.shape[1] ?? -1;
    if (metadata.inputs.length !== 1 || input?.datatype !== 'FP32' || input.shape.length !== 2 || width < 1)
      throw new UserError({
        place: 'samples audio',
        found: `model "${metadata.name}" takes ${metadata.inputs.map(({ name, datatype, shape }) => `${name} ${datatype} ${showShape(shape)}`).join(', ')}`,
        allowed: 'one input FP32 [N,W]',
      });
    const sound = directory === undefined ? made(seed) : recorded(directory);
    const steps = Math.min(Math.floor(sound.length / width), count ?? Number.POSITIVE_INFINITY);
    if (steps < 1)
      throw new UserError({ place: `samples audio: ${directory}`, found: `holds less than ${width} samples of sound` });
    return {
      name: 'audio',
      totalSampleCount: steps,
      performanceSampleCount: steps,
      sha256: createHash('sha256').update(new Uint8Array(sound.buffer)).digest('hex'),
      inputs: (index) => [
        {
          name: input.name,
          datatype: 'FP32',
          shape: [1, width],
          data: bytesOf(sound.subarray(index * width, (index + 1) * width)),
        },
      ],
    };
  },
} as const satisfies SampleDefinition;

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function made(seed: bigint): Float32Array {
  const random = new FastRandom(seed);
  const sound = new Float32Array(DEFAULT_SECONDS * RATE);
  for (let from = 0; from < sound.length; from += RATE) {
    const hertz = 100 + 300 * canonicalDouble(random);
    for (let i = 0; i < RATE / 2; i++) {
      const noise = 0.05 * (canonicalDouble(random) - 0.5);
      sound[from + i] = 0.3 * Math.sin((2 * Math.PI * hertz * i) / RATE) + noise;
    }
  }
  return sound;
}

function recorded(directory: string): Float32Array {
  const names = listed(directory)
    .filter((name) => name.toLowerCase().endsWith('.wav'))
    .sort();
  const parts = names.map((name) => samplesOf(readFileSync(join(directory, name)), join(directory, name)));
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    throw new UserError(
      { place: `samples audio: ${directory}`, found: 'is no folder that can be read' },
      { cause: error },
    );
  }
}

/** The chunks of a RIFF file: `fmt ` says what `data` holds. */
function samplesOf(file: Buffer, place: string): Float32Array {
  let format = '';
  for (let at = 12; file.toString('latin1', 0, 4) === 'RIFF' && at + 8 <= file.length; ) {
    const [name, size] = [file.toString('latin1', at, at + 4), file.readUInt32LE(at + 4)];
    if (name === 'fmt ')
      format = `${file.readUInt16LE(at + 22)} bit, ${file.readUInt16LE(at + 10)} channels, ${file.readUInt32LE(at + 12)} Hz, format ${file.readUInt16LE(at + 8)}`;
    if (name === 'data' && format === WANTED) {
      const data = file.subarray(at + 8, at + 8 + size);
      return Float32Array.from({ length: data.length >> 1 }, (_, i) => data.readInt16LE(2 * i) / 32768);
    }
    at += 8 + size + (size % 2);
  }
  throw new UserError({ place, found: format || 'is no WAV file', allowed: WANTED });
}

const WANTED = `16 bit, 1 channels, ${RATE} Hz, format 1`;
