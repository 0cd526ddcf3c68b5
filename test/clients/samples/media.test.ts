import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { audio } from '../../../clients/samples/audio.js';
import { photos } from '../../../clients/samples/photos.js';
import { printed } from '../../../clients/samples/printed.js';
import { texts } from '../../../clients/samples/texts.js';
import { splitBytes } from '../../../servers/protocol/index.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-media-'));
afterAll(() => rmSync(folder, { recursive: true }));
const folderOf = (files: Readonly<Record<string, string | Buffer>>): string => {
  const path = mkdtempSync(join(folder, 'set-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
};

const metadata = (datatype: 'BYTES' | 'FP32', shape: readonly number[]) => ({
  name: 'm',
  platform: 'x',
  inputs: [{ name: 'x', datatype, shape }],
  outputs: [],
});
const textOf = (data: Uint8Array) => Buffer.from(splitBytes(data)[0]!).toString();

/** 16 bit, mono. */
function wav(rate: number, values: readonly number[]): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(2 * values.length, 40);
  return Buffer.concat([head, Buffer.from(Int16Array.from(values).buffer)]);
}

test('audio: two files are one stream, cut into steps of the model’s input; 16384 is a half', async () => {
  const directory = folderOf({ 'a.wav': wav(16_000, [0, 16384, -16384]), 'b.wav': wav(16_000, [8192, 0]) });
  const library = await audio.create({ metadata: metadata('FP32', [-1, 2]), seed: 1n, directory });
  const step = (index: number) => [...new Float32Array(library.inputs(index)[0]!.data.slice().buffer)];
  expect(library.totalSampleCount).toBe(2);
  expect([step(0), step(1)]).toEqual([
    [0, 0.5],
    [-0.5, 0.25],
  ]);
});

test('audio: without a folder it is made by seed; 8 kHz and a folder that is none are refused', async () => {
  const made = (seed: bigint) => audio.create({ metadata: metadata('FP32', [-1, 512]), seed });
  expect((await made(1n)).sha256).toBe((await made(1n)).sha256);
  expect((await made(1n)).sha256).not.toBe((await made(2n)).sha256);
  const of = (directory: string) => audio.create({ metadata: metadata('FP32', [-1, 2]), seed: 1n, directory });
  await expect(of(folderOf({ 'a.wav': wav(8000, [1, 2]) }))).rejects.toThrow(/8000 Hz.*16000 Hz/);
  await expect(of(join(folder, 'nowhere'))).rejects.toThrow(/no folder/);
  await expect(audio.create({ metadata: metadata('BYTES', [-1]), seed: 1n })).rejects.toThrow(/one input FP32/);
});

test('texts: paragraphs of prose, each once, in order; code and headings are none', async () => {
  const prose = 'A paragraph is a few words that end in a full stop.';
  const directory = folderOf({
    'a.md': `# Title\n\n${prose}\n\nconst a = { b: 1 };\n\n${prose}`,
    'b.txt': `Another one of the same kind,\nover two lines, stands here.`,
  });
  const library = await texts.create({ metadata: metadata('BYTES', [-1]), seed: 1n, directory });
  const all = Array.from({ length: library.totalSampleCount }, (_, i) => textOf(library.inputs(i)[0]!.data));
  expect(all).toEqual([prose, 'Another one of the same kind, over two lines, stands here.']);
});

test('photos: the files as they are; a number at the end of every name is the class', async () => {
  const directory = folderOf({ 'dog_251.jpg': 'dog', 'cat_281.png': 'cat', 'notes.txt': 'no' });
  const library = await photos.create({ metadata: metadata('BYTES', [-1]), seed: 1n, directory });
  expect([0, 1].map((i) => [textOf(library.inputs(i)[0]!.data), library.label!(i)])).toEqual([
    ['cat', 281],
    ['dog', 251],
  ]);
  const unnamed = await photos.create({
    metadata: metadata('BYTES', [-1]),
    seed: 1n,
    directory: folderOf({ 'a.jpg': 'a' }),
  });
  expect(unnamed.label).toBeUndefined();
  await expect(photos.create({ metadata: metadata('BYTES', [-1]), seed: 1n })).rejects.toThrow(/Set directory/);
});

test('printed: PNGs of one to four lines with their text; the same seed draws the same', async () => {
  const made = (seed: bigint) => printed.create({ metadata: metadata('BYTES', [-1]), seed, count: 12 });
  const library = await made(1n);
  expect((await made(1n)).sha256).toBe(library.sha256);
  expect((await made(2n)).sha256).not.toBe(library.sha256);
  for (let i = 0; i < 12; i++) {
    const [picture] = splitBytes(library.inputs(i)[0]!.data);
    const lines = library.answer(i).split('\n');
    expect(lines.length).toBeLessThanOrEqual(4);
    for (const line of lines) expect(line).toMatch(/^([a-z]+ ){1,3}\d{3}$/);
    // Of a PNG's head: 40 pixels of margin and 60 a line.
    expect(Buffer.from(picture!).readUInt32BE(20)).toBe(40 + 60 * lines.length);
  }
});
