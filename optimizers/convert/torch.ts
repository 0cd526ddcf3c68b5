import { readFileSync } from 'node:fs';
import { messageOf, UserError } from '../../results/errors.js';
import { type Call, unpickle } from './pickle.js';

/** A tensor of a checkpoint, row by row. */
export interface TorchTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

interface Storage {
  readonly key: string;
  readonly kind: string;
}

/** `torch.save` before 1.6 wrote this number first. */
const MAGIC = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/**
 * The FP32 tensors of a checkpoint in PyTorch's legacy format (`torch.save` before 1.6) by name; others, such as counters of
 * batches, are left out. The file: five pickles (magic number, protocol 1001, machine, the state, the order of the storages), then
 * each storage as an int64 count and its content. Nothing in it is executed. Throws UserError where it is none.
 */
export function readTorch(path: string): ReadonlyMap<string, TorchTensor> {
  try {
    return tensorsOf(readFileSync(path));
  } catch (error) {
    throw new UserError(
      {
        place: path,
        found: `is no PyTorch checkpoint that can be read: ${messageOf(error)}`,
        allowed: 'the format of torch.save before 1.6',
      },
      { cause: error },
    );
  }
}

function tensorsOf(bytes: Buffer): Map<string, TorchTensor> {
  if (!bytes.subarray(4, 4 + MAGIC.length).equals(Buffer.from(MAGIC))) throw new Error('it does not begin as one');
  const storageOf = (id: unknown): Storage => {
    const [, kind, key] = id as readonly [string, string, string];
    return { kind, key };
  };
  let at = 0;
  const next = () => {
    const { value, end } = unpickle(bytes, at, storageOf);
    at = end;
    return value;
  };
  next();
  if (next() !== 1001) throw new Error('its protocol is not 1001');
  next();
  const state = next() as Call | Map<unknown, unknown>;
  const keys = next() as readonly string[];
  const entries = [...(state instanceof Map ? state : state.items)] as [string, Call][];
  const floats = new Map(entries.flatMap(([, { args }]) => sizeOf(args[0] as Storage)));
  const contents = new Map<string, Float32Array<ArrayBuffer>>();
  for (const key of keys) {
    const count = Number(bytes.readBigInt64LE(at));
    const size = floats.get(key) ?? 8;
    at += 8;
    if (size === 4)
      contents.set(
        key,
        new Float32Array(bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + at + 4 * count) as ArrayBuffer),
      );
    at += size * count;
  }
  return new Map(
    entries.flatMap(([name, { args }]) => {
      const [storage, offset, shape, strides] = args as readonly [
        Storage,
        number,
        readonly number[],
        readonly number[],
      ];
      const content = contents.get(storage.key);
      return content ? [[name, { shape, values: gathered(content, offset, shape, strides) }] as const] : [];
    }),
  );
}

/** Row by row, whatever the order in the storage: what was transposed before it was saved lies as it did. */
function gathered(
  content: Float32Array<ArrayBuffer>,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < values.length; i++) {
    let at = offset;
    for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    values[i] = content[at]!;
  }
  return values;
}

/** Bytes of an element of the storages that networks hold. */
function sizeOf({ key, kind }: Storage): [string, number][] {
  if (kind.endsWith(' FloatStorage')) return [[key, 4]];
  if (kind.endsWith(' LongStorage')) return [[key, 8]];
  throw new Error(`it holds a ${kind}`);
}
