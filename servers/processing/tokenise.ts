import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { messageOf, UserError } from '../../results/errors.js';
import type { TensorMetadata } from '../protocol/index.js';
import { defineProcessor, type ProcessorContext } from './contract.js';
import { read } from './support/labels.js';
import { metadata, rowsOfBytes, tensor, tensorNamed } from './support/tensors.js';
import { wrongModel } from './support/wrong-model.js';

const options = z.strictObject({
  maxLength: z.number().int().min(2).max(8192).default(128).describe('tokens, with the special ones; the rest is cut'),
  padTo: z
    .union([z.literal('longest'), z.literal('maxLength'), z.number().int().positive()])
    .default('longest')
    .describe('longest of the request, maxLength, or the next multiple of a number'),
});

type Role = 'ids' | 'mask' | 'types';

/**
 * Text a row → INT64 [N,S]: ids, and mask and types where the model has such inputs. Texts that are too long lose their
 * middle's end: the last special token stays. The file `tokenizer` is a tokenizer.json of Hugging Face.
 */
export const tokenise = defineProcessor({
  name: 'tokenise',
  summary: 'Text → token ids, mask and types INT64 [N,S], by a tokenizer.json',
  side: 'pre',
  options,
  needs: ['tokenizer'],
  async create({ maxLength, padTo }, context) {
    const roles = context.model.inputs.map((input) => [input, roleOf(input, context)] as const);
    const tokenizer = readTokenizer(context.files.tokenizer!);
    const padding = tokenizer.token_to_id('[PAD]') ?? tokenizer.token_to_id('<pad>') ?? 0;
    const encode = (text: Uint8Array): number[] => {
      const { ids } = tokenizer.encode(Buffer.from(text).toString('utf8'));
      return ids.length <= maxLength ? ids : [...ids.slice(0, maxLength - 1), ids.at(-1)!];
    };
    return {
      inputs: [metadata('text', 'BYTES', [-1])],
      outputs: context.model.inputs,
      run(tensors) {
        const rows = rowsOfBytes(tensorNamed(tensors, 'text')).map(encode);
        const longest = Math.max(1, ...rows.map((ids) => ids.length));
        const width = padTo === 'longest' ? longest : padTo === 'maxLength' ? maxLength : ceilTo(longest, padTo);
        return roles.map(([input, role]) => {
          const values = new BigInt64Array(rows.length * width).fill(role === 'ids' ? BigInt(padding) : 0n);
          if (role !== 'types')
            for (const [row, ids] of rows.entries())
              for (const [i, id] of ids.entries()) values[row * width + i] = role === 'mask' ? 1n : BigInt(id);
          return tensor(input.name, 'INT64', [rows.length, width], values);
        });
      },
    };
  },
});

function ceilTo(length: number, multiple: number): number {
  return Math.ceil(length / multiple) * multiple;
}

/** By the names that exporters give. */
function roleOf({ name, datatype, shape }: TensorMetadata, context: ProcessorContext): Role {
  if (datatype === 'INT64' && shape.length === 2) {
    if (/mask/.test(name)) return 'mask';
    if (/type|segment/.test(name)) return 'types';
    if (/ids|tokens|input/.test(name)) return 'ids';
  }
  throw wrongModel(
    context,
    'inputs',
    context.model.inputs,
    'INT64 [N,S], named like input_ids, attention_mask, token_type_ids',
  );
}

function readTokenizer(path: string): Tokenizer {
  try {
    return new Tokenizer(JSON.parse(read(path)) as object, {});
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      { place: path, found: `is no tokenizer.json that can be used (${messageOf(error)})` },
      { cause: error },
    );
  }
}
