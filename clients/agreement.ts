import { readFile } from 'node:fs/promises';
import { messageOf, UserError } from '../results/errors.js';
import { writeFileAtomic } from '../results/files.js';
import { argmax, numbersOf } from '../servers/protocol/index.js';
import type { Judge } from './requests.js';

/** How much two sets of outputs for the same samples agree. */
export interface Agreement {
  readonly samples: number;
  readonly maxAbsoluteDifference: number;
  /** Share of samples whose largest score is at the same place. */
  readonly top1: number;
}

/** Compares two output files of `samples` rows each. Throws UserError where their sizes differ. */
export async function compareOutputs(pathA: string, pathB: string, samples: number): Promise<Agreement> {
  const [a, b] = await Promise.all([readOutputs(pathA), readOutputs(pathB)]);
  if (a.length !== b.length || samples < 1 || a.length % samples !== 0)
    throw new UserError({
      place: pathB,
      found: `holds ${b.length} numbers, ${pathA} holds ${a.length}`,
      allowed: `the same number of rows of the same width, for ${samples} samples`,
    });
  const width = a.length / samples;
  let same = 0;
  let largest = 0;
  for (let at = 0; at < a.length; at += width) {
    const [rowA, rowB] = [a.subarray(at, at + width), b.subarray(at, at + width)];
    if (argmax(rowA) === argmax(rowB)) same++;
    for (let i = 0; i < width; i++) largest = Math.max(largest, Math.abs(rowA[i]! - rowB[i]!));
  }
  return { samples, maxAbsoluteDifference: largest, top1: same / samples };
}

/**
 * Keeps the first output of each sample while another judge looks on; `write` puts them into a file of float32 rows,
 * little-endian, in order of the samples. A sample without an answer is a row of NaN.
 */
export class OutputCollector {
  private readonly rows = new Map<number, Float32Array>();

  /** Looks on as well. */
  inner: Judge | undefined;

  readonly judge: Judge = (sample, result) => {
    const output = result.response?.().outputs[0];
    const values = output && numbersOf(output);
    if (values) this.rows.set(sample, Float32Array.from(values));
    return this.inner?.(sample, result) ?? Number.NaN;
  };

  /** What a sample was answered, as far as it was. */
  readonly rowOf = (sample: number): Float32Array | undefined => this.rows.get(sample);

  write(path: string, samples: number): void {
    const width = Math.max(0, ...[...this.rows.values()].map((row) => row.length));
    const all = new Float32Array(samples * width).fill(Number.NaN);
    for (const [sample, row] of this.rows) all.set(row, sample * width);
    writeFileAtomic(path, new Uint8Array(all.buffer), 'the outputs of this trial');
  }
}

/** Of each sample what a file that `write` made holds; undefined where it was not answered. Throws UserError. */
export async function readRows(path: string, samples: number): Promise<(sample: number) => Float32Array | undefined> {
  const all = await readOutputs(path);
  const width = all.length / samples;
  return (sample) => {
    const row = all.subarray(sample * width, (sample + 1) * width);
    return row.length === width && !row.some(Number.isNaN) ? row : undefined;
  };
}

async function readOutputs(path: string): Promise<Float32Array> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new UserError({ place: path, found: `can't be read (${messageOf(error)})` }, { cause: error });
  });
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length - (bytes.length % 4)));
}
