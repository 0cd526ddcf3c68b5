import { readFileSync } from 'node:fs';
import { UserError } from '../../results/errors.js';
import type { TorchTensor } from './torch.js';

/**
 * The FP32 tensors of a .safetensors file by name: eight bytes that tell the header's length, a JSON header, the data. Others
 * (INT64 positions) are left out. Throws UserError where it is cut short or no such file. Source: the safetensors format.
 */
export function readSafetensors(path: string): ReadonlyMap<string, TorchTensor> {
  const file = readFileSync(path);
  const length = file.length < 8 ? Number.POSITIVE_INFINITY : Number(file.readBigUInt64LE(0));
  if (8 + length > file.length || file[8] !== 0x7b) throw broken(path, 'it begins with no header of safetensors');
  const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as Record<string, Entry>;
  const data = file.subarray(8 + length);
  const tensors = new Map<string, TorchTensor>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (dtype !== 'F32') continue;
    const [from, to] = data_offsets;
    const size = 4 * shape.reduce((product, dim) => product * dim, 1);
    if (to > data.length || to - from !== size) throw broken(path, `"${name}" has not the ${size} bytes of its shape`);
    // A copy: the file's own bytes need not be aligned.
    tensors.set(name, { shape, values: new Float32Array(Uint8Array.from(data.subarray(from, to)).buffer) });
  }
  return tensors;
}

interface Entry {
  /** Absent in `__metadata__`. */
  readonly dtype?: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [from: number, to: number];
}

function broken(place: string, found: string): UserError {
  return new UserError({ place, found, allowed: 'a whole .safetensors file', remedy: 'Fetch it again' });
}
