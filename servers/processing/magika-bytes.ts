import { z } from 'zod';
import { defineProcessor } from './contract.js';
import { metadata, rowsOfBytes, tensor, tensorNamed } from './support/tensors.js';
import { wrongModel } from './support/wrong-model.js';

/** Of the beginning and of the end. */
const TAKEN = 1024;
/** Looked at for spaces to be left out. */
const BLOCK = 4096;
const PADDING = 256;

/**
 * The content of a file a row → INT32 [N,2048]: the first 1,024 bytes behind leading white space, padded at their end, and
 * the last 1,024 before trailing white space, padded at their beginning; 256 stands for no byte. Source: Magika 1.0.
 */
export const magikaBytes = defineProcessor({
  name: 'magika-bytes',
  summary: 'The content of files → the first and last 1,024 bytes, INT32 [N,2048]',
  side: 'pre',
  options: z.strictObject({}),
  async create(_options, context) {
    const [target] = context.model.inputs;
    if (target?.datatype !== 'INT32' || target.shape[1] !== 2 * TAKEN)
      throw wrongModel(context, 'inputs', context.model.inputs, `one INT32 [N,${2 * TAKEN}]`);
    return {
      inputs: [metadata('content', 'BYTES', [-1])],
      outputs: [target],
      run(tensors) {
        const files = rowsOfBytes(tensorNamed(tensors, 'content'));
        const values = new Int32Array(files.length * 2 * TAKEN).fill(PADDING);
        for (const [row, file] of files.entries()) {
          const first = withoutLeading(file.subarray(0, BLOCK)).subarray(0, TAKEN);
          const last = withoutTrailing(file.subarray(Math.max(0, file.length - BLOCK)));
          const ending = last.subarray(Math.max(0, last.length - TAKEN));
          values.set(first, row * 2 * TAKEN);
          values.set(ending, (row + 1) * 2 * TAKEN - ending.length);
        }
        return [tensor(target.name, 'INT32', [files.length, 2 * TAKEN], values)];
      },
    };
  },
});

/** As Python's bytes.strip() sees it: space, \t, \n, \v, \f, \r. */
function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

function withoutLeading(bytes: Uint8Array): Uint8Array {
  let from = 0;
  while (from < bytes.length && isSpace(bytes[from]!)) from++;
  return bytes.subarray(from);
}

function withoutTrailing(bytes: Uint8Array): Uint8Array {
  let to = bytes.length;
  while (to > 0 && isSpace(bytes[to - 1]!)) to--;
  return bytes.subarray(0, to);
}
