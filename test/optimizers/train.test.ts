import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readFashionMnist } from '../../optimizers/train/fashion-mnist.js';
import { Gemm, pack } from '../../optimizers/train/gemm.js';
import { Mlp } from '../../optimizers/train/mlp.js';
import { Mt19937 } from '../../results/stats/random.js';

describe('the matrix kernel', () => {
  it('gives the product that three nested loops give', () => {
    const [m, n, k] = [8, 16, 5];
    const gemm = new Gemm(65536);
    const [a, b, c] = [gemm.array(m * k), gemm.array(k * n), gemm.array(m * n)];
    const [packedA, packedB] = [gemm.array(m * k), gemm.array(k * n)];
    for (let i = 0; i < a.length; i++) a[i] = ((i * 7) % 13) - 6;
    for (let i = 0; i < b.length; i++) b[i] = ((i * 5) % 11) - 5;
    pack(a, packedA, { rows: m, columns: k, rowStride: k, columnStride: 1 }, 4);
    pack(b, packedB, { rows: n, columns: k, rowStride: 1, columnStride: n }, 8);
    gemm.multiply(packedA, packedB, c, m, n, k);
    const expected = Array.from({ length: m * n }, (_, at) => {
      const [row, column] = [Math.floor(at / n), at % n];
      return Array.from({ length: k }, (_, x) => a[row * k + x]! * b[x * n + column]!).reduce((p, q) => p + q, 0);
    });
    expect([...c]).toEqual(expected);
  });
});

describe('training', () => {
  const net = (seed: number) => {
    const made = new Mlp([8, 8, 8, 2], 8, new Mt19937(seed));
    for (let i = 0; i < made.input.length; i++) made.input[i] = ((i * 5) % 11) / 11;
    return made;
  };
  const labels = Uint8Array.of(0, 1, 1, 0, 1, 0, 0, 1);

  it('learns a batch by heart', () => {
    const subject = net(1);
    const first = subject.train(labels, 0.01);
    let last = first;
    for (let i = 0; i < 300; i++) last = subject.train(labels, 0.01);
    expect(first).toBeGreaterThan(0.3);
    expect(last).toBeLessThan(0.01);
  });

  it('gives the same weights for the same seed, others for another', () => {
    const weights = (seed: number) => {
      const subject = net(seed);
      for (let i = 0; i < 5; i++) subject.train(labels, 0.01);
      return [...subject.layers[0]!.weights];
    };
    expect(weights(3)).toEqual(weights(3));
    expect(weights(3)).not.toEqual(weights(4));
  });
});

describe('reading Fashion-MNIST', () => {
  it('names the Debian package where the files are absent', () => {
    expect(() => readFashionMnist('/nowhere', 'train')).toThrow('Install the Debian package dataset-fashion-mnist');
  });

  it('refuses a file that is cut short', () => {
    const folder = mkdtempSync(join(tmpdir(), 'servemark-idx-'));
    const header = Buffer.from([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28, 1, 2, 3]);
    writeFileSync(join(folder, 't10k-images-idx3-ubyte.gz'), gzipSync(header));
    expect(() => readFashionMnist(folder, 't10k')).toThrow('no IDX file of rank 3 with 784 bytes of data');
    rmSync(folder, { recursive: true });
  });
});
