import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { mails } from '../../../clients/samples/mails.js';
import { splitBytes } from '../../../servers/protocol/index.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-mails-'));
afterAll(() => rmSync(folder, { recursive: true }));

const metadata = {
  name: 'm',
  platform: 'x',
  inputs: [{ name: 'text', datatype: 'BYTES' as const, shape: [-1] }],
  outputs: [],
};

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const headers = 'From a@b Thu Aug 22\nReceived: from spam.example\n\tby b\n';
write('corpus/easy-ham-1/1.txt', `${headers}Subject: Minutes\nTo: b\n\nWe met=\n at ten, a =3D b.\n`);
write('corpus/easy-ham-1/1.json', '{}');
write('corpus/hard-ham-2/2.txt', 'No mail at all, only\n\ntext.');
write('corpus/hard-ham-2/3.txt', `${headers}Subject: Minutes\n\nWe met at ten, a = b.`);
write('corpus/spam-1/1.txt', `${headers}Subject: BUY\n\n<html><style>p { x }</style><p>Now&nbsp;<b>cheap</b></p>`);
write('corpus/spam-1/2.txt', `${headers}\n\n${'long '.repeat(900)}`);
write('corpus/spam-2/3.txt', `${headers}Subject: again\n\nand again`);
write('corpus/index.txt', 'beside the folders');

const texts = async (count?: number) => {
  const library = await mails.create({ metadata, seed: 1n, directory: join(folder, 'corpus'), count });
  return Array.from({ length: library.totalSampleCount }, (_, i): [number, string] => [
    library.label(i),
    Buffer.from(splitBytes(library.inputs(i)[0]!.data)[0]!).toString(),
  ]);
};

test('are subject and body without headers and markup, as many of each class, each text once', async () => {
  const found = await texts();
  expect(found.filter(([label]) => label === 0).map(([, text]) => text)).toEqual(
    expect.arrayContaining(['Minutes We met at ten, a = b.', 'No mail at all, only text.']),
  );
  expect(found.map(([label]) => label).sort()).toEqual([0, 0, 1, 1]);
  const spam = found.flatMap(([label, text]) => (label === 1 ? [text] : []));
  for (const text of spam) expect(text).toMatch(/^(BUY Now cheap|again and again|(long ){399}long)$/);
});

test('are the same by the same folders, and fewer by count', async () => {
  expect(await texts()).toEqual(await texts());
  const two = await texts(2);
  expect(two.map(([label]) => label).sort()).toEqual([0, 1]);
});

test('of one class, or none, are refused', async () => {
  const of = (directory: string) => mails.create({ metadata, seed: 1n, directory: join(folder, directory) });
  write('one/ham/1.txt', 'text');
  await expect(of('one')).rejects.toThrow(/all mails are of one class, ham/);
  await expect(of('nowhere')).rejects.toThrow(/there are no mails.*Set directory/s);
});
