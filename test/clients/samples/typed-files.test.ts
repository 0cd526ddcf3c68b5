import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { typedFiles } from '../../../clients/samples/typed-files.js';
import { splitBytes } from '../../../servers/protocol/index.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-typed-'));
afterAll(() => rmSync(folder, { recursive: true }));

const metadata = {
  name: 'm',
  platform: 'x',
  inputs: [{ name: 'content', datatype: 'BYTES' as const, shape: [-1] }],
  outputs: [],
};

test('files whose ending says what they are, of each type in turn; tiny ones and unknown endings are left out', async () => {
  mkdirSync(join(folder, 'deep'));
  for (const [path, text] of [
    ['b.ts', 'const b = 1;'],
    ['deep/a.ts', 'const a = 1;'],
    ['c.json', '{"a": [1]}'],
    ['d.json', '{}'],
    ['e.unknown', 'what is this'],
  ] as const)
    writeFileSync(join(folder, path), text);
  const library = await typedFiles.create({ metadata, seed: 1n, directory: folder });
  expect(library.totalSampleCount).toBe(3);
  expect([0, 1, 2].map((i) => library.answer!(i))).toEqual(['json', 'typescript', 'typescript']);
  expect(Buffer.from(splitBytes(library.inputs(0)[0]!.data)[0]!).toString()).toBe('{"a": [1]}');
  expect((await typedFiles.create({ metadata, seed: 2n, directory: folder })).sha256).toBe(library.sha256);
});

test('a folder without such files, and a model that takes tensors, are refused', async () => {
  await expect(typedFiles.create({ metadata, seed: 1n, directory: join(folder, 'nowhere') })).rejects.toThrow(
    /Set directory/,
  );
  const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 4] }];
  await expect(typedFiles.create({ metadata: { ...metadata, inputs }, seed: 1n, directory: folder })).rejects.toThrow(
    /one input BYTES/,
  );
});
