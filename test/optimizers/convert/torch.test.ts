import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { unpickle } from '../../../optimizers/convert/pickle.js';
import { readTorch } from '../../../optimizers/convert/torch.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-torch-'));
afterAll(() => rmSync(folder, { recursive: true }));

const text = (value: string) => {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(value.length);
  return Buffer.concat([Buffer.from('X'), size, Buffer.from(value)]);
};
const int = (value: number) => Buffer.from([0x4b, value]);
const pickle = (...parts: readonly (Buffer | string)[]) =>
  Buffer.concat([
    Buffer.from([0x80, 2]),
    ...parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
    Buffer.from('.'),
  ]);

/** A checkpoint of one tensor "w", [2,3] with the strides of a transposed one, over a storage of six numbers. */
function checkpoint(): string {
  const magic = pickle(Buffer.from([0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]));
  const protocol = pickle(Buffer.from([0x4d, 0xe9, 3]));
  const machine = pickle('}');
  const storage = Buffer.concat([
    Buffer.from('('),
    ...[text('storage'), Buffer.from('ctorch\nFloatStorage\n'), text('7'), text('cpu'), int(6), Buffer.from('N')],
    Buffer.from('tQ'),
  ]);
  const tensor = [
    'ctorch._utils\n_rebuild_tensor_v2\n',
    '(',
    storage,
    int(0),
    int(2),
    int(3),
    '\x86',
    int(1),
    int(2),
    '\x86',
    '\x89',
    'ccollections\nOrderedDict\n',
    ')R',
    'tR',
  ];
  const state = pickle('ccollections\nOrderedDict\n', ')R', '(', text('w'), ...tensor, 'u');
  const keys = pickle(']', text('7'), 'a');
  const content = Buffer.alloc(8 + 24);
  content.writeBigInt64LE(6n);
  for (let i = 0; i < 6; i++) content.writeFloatLE(i, 8 + 4 * i);
  const path = join(folder, 'net.pth');
  writeFileSync(path, Buffer.concat([magic, protocol, machine, state, keys, content]));
  return path;
}

test('a tensor that was transposed before it was saved is read by its strides', () => {
  const { shape, values } = readTorch(checkpoint()).get('w')!;
  expect(shape).toEqual([2, 3]);
  expect([...values]).toEqual([0, 2, 4, 1, 3, 5]);
});

test('what a pickle would import and call is told and never done; other operations are refused', () => {
  const { value } = unpickle(pickle('cos\nsystem\n', text('rm'), '\x85', 'R'), 0, () => undefined);
  expect(value).toMatchObject({ of: 'os system', args: ['rm'] });
  expect(() => unpickle(Buffer.from('i'), 0, () => undefined)).toThrow(/operation 0x69/);
});

test('a file of another kind is no checkpoint', () => {
  const path = join(folder, 'x.pth');
  writeFileSync(path, 'PK zip of a newer one');
  expect(() => readTorch(path)).toThrow(/no PyTorch checkpoint.*does not begin as one/);
});
