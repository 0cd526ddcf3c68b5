import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { samplesNamed } from '../../../clients/samples/index.js';
import { parseNpy } from '../../../clients/samples/npy-file.js';
import type { ModelMetadata } from '../../../servers/protocol/types.js';

const folder = mkdtempSync(join(tmpdir(), 'samples-'));
afterAll(() => rmSync(folder, { recursive: true }));

function model(...inputs: ModelMetadata['inputs']): ModelMetadata {
  return { name: 'm', platform: 'test', inputs, outputs: [] };
}

/** A .npy file of version 1, as NumPy writes it. */
function npyFile(descr: string, shape: readonly number[], data: Uint8Array, fortran = 'False'): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  const header = Buffer.from(`${text.padEnd(117)}\n`, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, header, data]);
}

const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const asFloats = (data: Uint8Array) => [...new Float32Array(Uint8Array.from(data).buffer)];

describe('fashion-mnist', () => {
  const metadata = model({ name: 'x', datatype: 'FP32', shape: [-1, 784] });

  test('a pixel of 255 becomes 1, one of 51 becomes 0.2, and the label stands beside it', async () => {
    const directory = join(folder, 'mnist');
    mkdirSync(directory);
    const pixels = new Uint8Array(2 * 784);
    pixels[784] = 255;
    pixels[785] = 51;
    const imageHeader = Buffer.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28]);
    writeFileSync(join(directory, 't10k-images-idx3-ubyte.gz'), gzipSync(Buffer.concat([imageHeader, pixels])));
    writeFileSync(join(directory, 't10k-labels-idx1-ubyte.gz'), gzipSync(Buffer.from([0, 0, 8, 1, 0, 0, 0, 2, 9, 3])));
    const library = await samplesNamed('fashion-mnist').create({ metadata, seed: 0n, directory });
    expect([library.totalSampleCount, library.label?.(0), library.label?.(1)]).toEqual([2, 9, 3]);
    const input = library.inputs(1)[0]!;
    expect([input.name, input.shape]).toEqual(['x', [1, 784]]);
    expect(asFloats(input.data).slice(0, 3)).toEqual([1, Math.fround(0.2), 0]);
  });

  test('the committed set has 10,000 images, 1,000 of each class, and begins with an ankle boot (9)', async () => {
    const library = await samplesNamed('fashion-mnist').create({ metadata, seed: 0n });
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < library.totalSampleCount; i++) counts[library.label!(i)]!++;
    expect(counts).toEqual(new Array(10).fill(1000));
    expect(library.label?.(0)).toBe(9);
  });

  test('a model that takes something else is refused with what it takes', async () => {
    const other = model({ name: 'ids', datatype: 'INT64', shape: [-1, 8] });
    await expect(samplesNamed('fashion-mnist').create({ metadata: other, seed: 0n })).rejects.toThrow(
      /takes ids INT64 \[-1,8\].*one input FP32 \[N,784\]/,
    );
  });
});

describe('random', () => {
  const metadata = model(
    { name: 'image', datatype: 'FP32', shape: [-1, 3, -1] },
    { name: 'ids', datatype: 'INT64', shape: [-1, 4] },
    { name: 'text', datatype: 'BYTES', shape: [-1, 1] },
    { name: 'half', datatype: 'FP16', shape: [2, 2] },
  );
  const create = (seed: bigint, dims?: Record<string, number[]>) =>
    samplesNamed('random').create({ metadata, seed, count: 5, dims });

  test('every input gets its shape: batch 1, other dynamic dimensions 1 or as asked, fixed ones as they are', async () => {
    const library = await create(1n, { image: [3, 7] });
    expect(library.inputs(4).map((tensor) => [tensor.name, tensor.shape, tensor.data.length])).toEqual([
      ['image', [1, 3, 7], 84],
      ['ids', [1, 4], 32],
      ['text', [1, 1], expect.any(Number)],
      ['half', [2, 2], 8],
    ]);
    expect((await create(1n)).inputs(0)[0]!.shape).toEqual([1, 3, 1]);
  });

  test('floats are in [0,1) and integers in 0…9', async () => {
    const [image, ids] = (await create(3n)).inputs(0);
    expect(asFloats(image!.data).every((value) => value >= 0 && value < 1)).toBe(true);
    const numbers = [...new BigInt64Array(ids!.data.slice().buffer)];
    expect(numbers.every((value) => value >= 0n && value < 10n)).toBe(true);
  });

  test('the same seed gives the same hash, another seed another', async () => {
    expect((await create(1n)).sha256).toBe((await create(1n)).sha256);
    expect((await create(2n)).sha256).not.toBe((await create(1n)).sha256);
  });

  test('dimensions that contradict the model are refused', async () => {
    await expect(create(1n, { image: [4, 7] })).rejects.toThrow(/samples.dims.image: is \[4,7\].*\[-1,3,-1\]/);
    await expect(create(1n, { picture: [3, 7] })).rejects.toThrow(/no input of that name/);
  });
});

describe('npy', () => {
  const metadata = model(
    { name: 'a', datatype: 'FP32', shape: [-1, 2] },
    { name: 'b', datatype: 'FP32', shape: [-1, 1] },
  );

  test('a file of samples and a folder of files in the order of their numbers go together', async () => {
    const directory = join(folder, 'pair');
    mkdirSync(join(directory, 'b'), { recursive: true });
    writeFileSync(join(directory, 'a.npy'), npyFile('<f4', [3, 2], floats(1, 2, 3, 4, 5, 6)));
    writeFileSync(join(directory, 'b', '0.bin'), floats(10));
    writeFileSync(join(directory, 'b', '2.npy'), npyFile('<f4', [1], floats(12)));
    writeFileSync(join(directory, 'b', '10.npy'), npyFile('<f4', [1, 1], floats(20)));
    writeFileSync(
      join(directory, 'labels.npy'),
      npyFile('<i8', [3], new Uint8Array(BigInt64Array.of(7n, 8n, 9n).buffer)),
    );
    const library = await samplesNamed('npy').create({ metadata, seed: 0n, directory });
    expect(library.totalSampleCount).toBe(3);
    expect([0, 1, 2].map((i) => library.inputs(i).map((tensor) => asFloats(tensor.data)))).toEqual([
      [[1, 2], [10]],
      [[3, 4], [12]],
      [[5, 6], [20]],
    ]);
    expect(library.inputs(0).map((tensor) => tensor.shape)).toEqual([
      [1, 2],
      [1, 1],
    ]);
    expect([0, 1, 2].map((i) => library.label?.(i))).toEqual([7, 8, 9]);
  });

  test('a missing input, a wrong shape and a wrong type are refused with file, found and allowed', async () => {
    const directory = join(folder, 'bad');
    mkdirSync(directory);
    const create = () => samplesNamed('npy').create({ metadata, seed: 0n, directory });
    await expect(create()).rejects.toThrow(/neither a.npy nor a folder a\//);
    writeFileSync(join(directory, 'b.npy'), npyFile('<f4', [3, 1], floats(1, 2, 3)));
    writeFileSync(join(directory, 'a.npy'), npyFile('<f4', [2, 3], floats(1, 2, 3, 4, 5, 6)));
    await expect(create()).rejects.toThrow(/a.npy: a sample has shape \[1,3\].*\[-1,2\]/);
    writeFileSync(join(directory, 'a.npy'), npyFile('<f8', [2, 2], new Uint8Array(32)));
    await expect(create()).rejects.toThrow(/a.npy: holds FP64.*FP32/);
    writeFileSync(join(directory, 'a.npy'), npyFile('<f4', [2, 2], floats(1, 2, 3, 4)));
    await expect(create()).rejects.toThrow(/different numbers of samples: a 2, b 3/);
  });

  test('Fortran order, big-endian numbers, objects and short data are refused by name', () => {
    expect(() => parseNpy(npyFile('<f4', [2, 2], new Uint8Array(16), 'True'))).toThrow(/Fortran order/);
    expect(() => parseNpy(npyFile('>f4', [2], new Uint8Array(8)))).toThrow(/big-endian FP32/);
    expect(() => parseNpy(npyFile('|O', [2], new Uint8Array(8)))).toThrow(/holds type '\|O'/);
    expect(() => parseNpy(npyFile('<f4', [3], new Uint8Array(8)))).toThrow(/holds 8 bytes.*needs 12/);
    expect(() => parseNpy(Buffer.from('PK\x03\x04 not an array'))).toThrow(/is no .npy file/);
  });
});
