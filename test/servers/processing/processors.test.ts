import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { createProcessor } from '../../../servers/processing/create.js';
import type { Datatype, Tensor, TensorMetadata } from '../../../servers/protocol/index.js';
import { joinBytes } from '../../../servers/protocol/index.js';
import { splitBytes } from '../../../servers/protocol/tensors.js';
import { TOKENIZER } from '../../fixtures/tokenizer.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-processors-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const metadata = (datatype: Datatype, name: string, shape: readonly number[]): TensorMetadata => ({
  name,
  datatype,
  shape,
});
const bytes = (name: string, rows: readonly (string | Uint8Array)[]): Tensor => ({
  name,
  datatype: 'BYTES',
  shape: [rows.length],
  data: joinBytes(rows.map((row) => Buffer.from(row))),
});
const floats = (shape: readonly number[], values: readonly number[]): Tensor => ({
  name: 'y',
  datatype: 'FP32',
  shape,
  data: new Uint8Array(Float32Array.from(values).buffer),
});

async function pre(
  name: string,
  inputs: readonly TensorMetadata[],
  request: readonly Tensor[],
  options = {},
  files = {},
) {
  const processor = await createProcessor(
    'pre',
    { name, options },
    { model: { inputs, outputs: [] }, files, place: 'test' },
  );
  return await processor.run(request);
}

async function post(name: string, output: Tensor, options = {}, files = {}) {
  const outputs = [metadata('FP32', output.name, output.shape)];
  const processor = await createProcessor(
    'post',
    { name, options },
    { model: { inputs: [], outputs }, files, place: 'test' },
  );
  return await processor.run([output]);
}

const numbersOf = ({ datatype, data }: Tensor): number[] => {
  const buffer = data.slice().buffer;
  if (datatype === 'INT64') return [...new BigInt64Array(buffer)].map(Number);
  return [...(datatype === 'INT32' ? new Int32Array(buffer) : new Float32Array(buffer))];
};
const textsOf = ({ data }: Tensor): string[] => splitBytes(data).map((each) => Buffer.from(each).toString());

test('magika-bytes: "  ab\\n" begins with a, b and the line end; it ends with them without it; 256 is no byte', async () => {
  const [made] = await pre('magika-bytes', [metadata('INT32', 'bytes', [-1, 2048])], [bytes('content', ['  ab\n'])]);
  const values = numbersOf(made!);
  expect(values.slice(0, 5)).toEqual([97, 98, 10, 256, 256]);
  expect(values.slice(-5)).toEqual([256, 32, 32, 97, 98]);
  expect(values.filter((value) => value !== 256)).toHaveLength(7);
});

test('magika-bytes: of 5,000 bytes the first and the last 1,024 are taken', async () => {
  const content = Uint8Array.from({ length: 5000 }, (_, i) => 100 + (i % 100));
  const [made] = await pre('magika-bytes', [metadata('INT32', 'bytes', [-1, 2048])], [bytes('content', [content])]);
  expect(numbersOf(made!)).toEqual([...content.subarray(0, 1024), ...content.subarray(5000 - 1024)]);
});

test('tokenise: "A server" is [CLS] a serv ##er [SEP]; the shorter row is padded and masked', async () => {
  const inputs = ['input_ids', 'attention_mask', 'token_type_ids'].map((name) => metadata('INT64', name, [-1, -1]));
  const files = { tokenizer: write('tokenizer.json', JSON.stringify(TOKENIZER)) };
  const made = await pre('tokenise', inputs, [bytes('text', ['A server', 'b'])], {}, files);
  expect(made.map(numbersOf)).toEqual([
    [2, 4, 7, 8, 3, 2, 5, 3, 0, 0],
    [1, 1, 1, 1, 1, 1, 1, 1, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ]);
});

test('tokenise: what is too long loses its end but not [SEP]; lengths grow to a multiple', async () => {
  const inputs = [metadata('INT64', 'ids', [-1, -1])];
  const files = { tokenizer: write('tokenizer.json', JSON.stringify(TOKENIZER)) };
  const cut = await pre('tokenise', inputs, [bytes('text', ['a b c a b c'])], { maxLength: 4 }, files);
  expect(numbersOf(cut[0]!)).toEqual([2, 4, 5, 3]);
  const [wide] = await pre('tokenise', inputs, [bytes('text', ['a'])], { padTo: 8 }, files);
  expect(wide!.shape).toEqual([1, 8]);
});

test('image: a plain colour stays that colour, normalised by channel; other layouts differ by order only', async () => {
  const png = await sharp({ create: { width: 30, height: 10, channels: 3, background: { r: 255, g: 51, b: 0 } } })
    .png()
    .toBuffer();
  const options = { crop: 2, mean: [0.5, 0.2, 0], std: [0.5, 1, 1] };
  const inputs = [metadata('FP32', 'x', [-1, 3, 2, 2])];
  const [planes] = await pre('image', inputs, [bytes('image', [png])], options);
  expect(planes!.shape).toEqual([1, 3, 2, 2]);
  const rounded = (tensor: Tensor) => numbersOf(tensor).map((value) => Number(value.toFixed(5)) + 0);
  expect(rounded(planes!)).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  const [mixed] = await pre('image', [metadata('FP32', 'x', [-1, 2, 2, 3])], [bytes('image', [png])], {
    ...options,
    layout: 'nhwc',
  });
  expect(rounded(mixed!)).toEqual([1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0]);
});

test('image: 100 × 50 pixels in multiples of 32 are 96 × 64; what is no image is the client’s mistake', async () => {
  const png = await sharp({ create: { width: 100, height: 50, channels: 3, background: '#fff' } })
    .png()
    .toBuffer();
  const inputs = [metadata('FP32', 'x', [-1, 3, -1, -1])];
  const [made] = await pre('image', inputs, [bytes('image', [png])], { multipleOf: 32 });
  expect(made!.shape).toEqual([1, 3, 64, 96]);
  await expect(pre('image', inputs, [bytes('image', ['no image'])], { multipleOf: 32 })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});

test('text-crops: the left half of a black and white image at height 4 is black, the right half white', async () => {
  const black = Buffer.alloc(8 * 4 * 3);
  for (let i = 0; i < 32; i++) if (i % 8 >= 4) black.fill(255, 3 * i, 3 * i + 3);
  const png = await sharp(black, { raw: { width: 8, height: 4, channels: 3 } })
    .png()
    .toBuffer();
  const boxes = { ...floats([1, 3, 5], [0, 0, 0.5, 1, 0.9, 0.5, 0, 1, 1, 0.8, 0, 0, 0, 0, 0]), name: 'boxes' };
  const [made] = await pre('text-crops', [metadata('FP32', 'x', [-1, 3, 4, -1])], [bytes('image', [png]), boxes]);
  expect(made!.shape).toEqual([2, 3, 4, 8]);
  const values = numbersOf(made!);
  expect(new Set(values.slice(0, 96))).toEqual(new Set([-1]));
  expect(new Set(values.slice(96))).toEqual(new Set([1]));
});

test('classes: the two likeliest of three with their names; a softmax of equal logits is a third each', async () => {
  const files = { labels: write('labels.json', '{"names":["cat","dog","owl"]}') };
  const made = await post(
    'classes',
    floats([2, 3], [0.1, 0.7, 0.2, 0.5, 0.5, 0]),
    { best: 2, labelsUnder: 'names' },
    files,
  );
  expect(numbersOf(made[0]!)).toEqual([1, 2, 0, 1]);
  expect(textsOf(made[2]!)).toEqual(['dog', 'owl', 'cat', 'dog']);
  const [, score] = await post('classes', floats([1, 3], [2, 2, 2]), { softmax: true });
  expect(numbersOf(score!)[0]).toBeCloseTo(1 / 3, 6);
});

test('ctc: blank, a, a, blank, a, b reads "aab"; the last class is a space; nothing but blanks is an empty text', async () => {
  const files = { keys: write('keys.txt', 'a\nb\n') };
  const step = (index: number) => [0, 1, 2, 3].map((i) => (i === index ? 0.9 : 0));
  const rows = [
    [0, 1, 1, 0, 1, 2],
    [2, 3, 2, 0, 0, 0],
    [0, 0, 0, 0, 0, 0],
  ];
  const [text, score] = await post('ctc', floats([3, 6, 4], rows.flat().flatMap(step)), {}, files);
  expect(textsOf(text!)).toEqual(['aab', 'b b', '']);
  expect(numbersOf(score!).map((value) => Number(value.toFixed(3)))).toEqual([0.9, 0.9, 0]);
});

test('text-boxes: two bright blocks in reading order, each grown by area × 1.6 / perimeter; a faint one is left out', async () => {
  const [height, width] = [40, 40];
  const map = new Array<number>(height * width).fill(0);
  const paint = (left: number, top: number, right: number, bottom: number, value: number) => {
    for (let y = top; y < bottom; y++) map.fill(value, y * width + left, y * width + right);
  };
  paint(20, 10, 30, 14, 0.9);
  paint(5, 11, 15, 15, 0.8);
  paint(5, 30, 15, 34, 0.4);
  const [boxes] = await post('text-boxes', floats([1, 1, height, width], map));
  expect(boxes!.shape).toEqual([1, 2, 5]);
  // 10 × 4 pixels: 40 × 1.6 / 28 = 2.2857 pixels on every side.
  const by = 64 / 28;
  const expected = [5 - by, 11 - by, 15 + by, 15 + by, 32, 20 - by, 10 - by, 30 + by, 14 + by, 36].map((at) => at / 40);
  for (const [i, value] of numbersOf(boxes!).entries()) expect(value).toBeCloseTo(expected[i]!, 5);
});

test('unit-vector: (3, 4) becomes (0.6, 0.8), zero stays zero', async () => {
  const [made] = await post('unit-vector', floats([2, 2], [3, 4, 0, 0]));
  expect(numbersOf(made!).map((value) => Number(value.toFixed(6)))).toEqual([0.6, 0.8, 0, 0]);
});
