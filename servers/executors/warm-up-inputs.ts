import { readFileSync } from 'node:fs';
import { FastRandom } from '../../results/stats/random.js';
import { byteCount, elementCount } from '../protocol/tensors.js';
import type { RuntimeTensor } from '../runtimes/index.js';
import type { WarmUpSample } from './instance.js';

/**
 * The inputs of one warm-up execution: zeros, random numbers (FP32 in [−1, 1), other datatypes random bits), or a file's bytes
 * once a row. Throws Error where a file's length is not that of a row.
 */
export function warmUpInputs({ rows, inputs }: WarmUpSample): RuntimeTensor[] {
  return inputs.map(({ name, datatype, dims, batched, random, file }) => {
    const shape = batched ? [rows, ...dims] : dims;
    const bytes = byteCount(datatype, shape) ?? 4 * elementCount(shape);
    const data = new Uint8Array(bytes);
    if (file !== undefined) fillFromFile(data, file, batched ? rows : 1);
    else if (random === true && datatype !== 'BYTES') fillRandom(data, datatype === 'FP32');
    return { name, datatype, shape, buffer: data.buffer };
  });
}

function fillFromFile(data: Uint8Array, file: string, times: number): void {
  const row = readFileSync(file);
  const expected = data.length / times;
  if (row.length !== expected) throw new Error(`${file} has ${row.length} bytes, expected ${expected}`);
  for (let i = 0; i < times; i++) data.set(row, i * expected);
}

function fillRandom(data: Uint8Array, floats: boolean): void {
  const source = new FastRandom(1);
  if (!floats) {
    for (let i = 0; i < data.length; i++) data[i] = source.next32() & 0xff;
    return;
  }
  const values = new Float32Array(data.buffer);
  for (let i = 0; i < values.length; i++) values[i] = source.next32() / 2 ** 31 - 1;
}
