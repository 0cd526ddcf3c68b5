import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { halves, type SampleLibrary } from '../../../clients/samples/index.js';
import { fidelityOf } from '../../../optimizers/fidelity.js';
import { addConstants } from '../../../optimizers/onnx/build.js';
import { readModel } from '../../../optimizers/onnx/index.js';
import { dimsOf, initializer, type OnnxModel } from '../../../optimizers/onnx/model.js';
import { encodeModel } from '../../../optimizers/onnx/write.js';
import { lowRank } from '../../../optimizers/passes/low-rank.js';
import { projected, truncate } from '../../../optimizers/passes/support/svd.js';
import { canonicalDouble, FastRandom } from '../../../results/stats/index.js';
import { denseNet, rowsLibrary } from '../../fixtures/dense-nets.js';
import { fashionSamples } from '../../fixtures/fashion.js';
import { FASHION_MLP } from '../../fixtures/onnx-models.js';

const sides = fc.record({ k: fc.integer({ min: 1, max: 24 }), n: fc.integer({ min: 1, max: 24 }), seed: fc.nat(1e6) });

describe('the factors of a matrix', () => {
  test('of full rank make the matrix again, within 1e-5', () => {
    fc.assert(
      fc.property(sides, ({ k, n, seed }) => {
        const weights = numbers(k * n, seed);
        const { a, b, rank, energy } = truncate(weights, k, n, () => Math.min(k, n));
        expect(rank).toBe(Math.min(k, n));
        expect(energy).toBeCloseTo(1, 9);
        expect(largestDifference(product(a, b, k, rank, n), weights)).toBeLessThan(1e-5);
      }),
      { seed: 3 },
    );
  });

  test('of full rank by activation answer as the layer does, within 1e-5, with its bias and however few the samples', () => {
    fc.assert(
      fc.property(sides, fc.integer({ min: 2, max: 60 }), ({ k, n, seed }, rows) => {
        const [weights, bias, x] = [numbers(k * n, seed), numbers(n, seed + 1), numbers(rows * k, seed + 2)];
        const answers = product(x, weights, rows, k, n).map((value, at) => value + bias[at % n]!);
        const found = projected(weights, bias, answers, k, n, () => Math.min(k, n, rows));
        const thin = product(product(x, found.a, rows, k, found.rank), found.b, rows, found.rank, n);
        expect(
          largestDifference(
            thin.map((value, at) => value + found.bias[at % n]!),
            answers,
          ),
        ).toBeLessThan(1e-5);
      }),
      { seed: 4 },
    );
  });
});

const NARROW = 10;

describe('low-rank', () => {
  test('keeps as many ranks as the energy asks: of the singular values 4, 2, 1 two keep 20/21 of the squares', async () => {
    const model = netOf([64, 64]);
    const diagonal = new Float32Array(64 * 64);
    for (const [i, value] of [2, 1, 4].entries()) diagonal[i * 64 + i] = value;
    addConstants(model, initializer('w0', [64, 64], diagonal));
    for (const [energy, rank] of [
      [0.76, 1],
      [0.95, 2],
      [0.96, 3],
    ] as const) {
      const { facts } = await apply(model, { energy });
      expect(facts.layers).toEqual([{ layer: 'w0', rank, of: 64, energy: expect.any(Number) }]);
    }
  });

  test('by activation keeps all answers with as many ranks as the inputs have dimensions, by weights it does not', async () => {
    const model = netOf([64, 96]);
    // x = z·P with z of 3 dimensions: answers vary in 3 directions about their mean, whatever the weights.
    const basis = numbers(3 * 64, 5);
    const samples = libraryOf(200, (i) => product(numbers(3, 100 + i), basis, 1, 3, 64));
    const options = { ratio: 3 / 64, count: 100 };
    const [byActivation, byWeights] = await Promise.all([
      apply(model, { ...options, by: 'activation' }, samples),
      apply(model, options, samples),
    ]);
    expect(byActivation.facts.layers).toEqual([{ layer: 'w0', rank: 3, of: 64, energy: expect.closeTo(1, 6) }]);
    expect((await fidelityOf(model, byActivation.model, samples, 200)).largestDifference).toBeLessThan(1e-4);
    expect((await fidelityOf(model, byWeights.model, samples, 200)).largestDifference).toBeGreaterThan(0.1);
  });

  test('leaves a classifier’s few outputs alone, also where they are many weights', async () => {
    const { facts, model } = await apply(netOf([64, 512, NARROW]), { ratio: 0.25 });
    expect(facts.layers).toEqual([expect.objectContaining({ layer: 'w0', rank: 16 })]);
    expect(dimsOf(model.initializers.get('w1')!)).toEqual([512, NARROW]);
  });

  test('of the embedded model at an eighth of its bytes, fine-tuned on half of the images, is right on the others about as often', async () => {
    const model = readModel(FASHION_MLP);
    const { forPasses: training, others: judging } = halves(await fashionSamples());
    const options = { energy: 0.98, by: 'activation', count: 300 } as const;
    const rough = await apply(model, options, training);
    const tuned = await apply(model, { ...options, epochs: 1 }, training);
    expect(encodeModel(tuned.model).length).toBeLessThan(encodeModel(model).length / 8);
    const [before, after] = [
      await fidelityOf(model, rough.model, judging, 2000),
      await fidelityOf(model, tuned.model, judging, 2000),
    ];
    expect(after.cosine).toBeGreaterThan(before.cosine);
    expect(after.topOne!.value).toBeGreaterThan(after.referenceTopOne!.value - 0.02);
  }, 60_000);
});

/** Gemm and Relu, the last layer without Relu; weights `w0`, `w1` … */
function netOf([inputs, ...widths]: readonly [number, ...number[]]): OnnxModel {
  const layers = widths.map(
    (width, i) => ({ width, form: 'gemm', activation: i === widths.length - 1 ? 'none' : 'Relu' }) as const,
  );
  return denseNet({ inputs, layers, seed: 1, irVersion: 10, shared: false });
}

async function apply(model: OnnxModel, options: z.input<typeof lowRank.options>, samples = rowsLibrary(64, 8, 1)) {
  const { models, facts } = await lowRank.apply(model, lowRank.options.parse(options), {
    place: 'net',
    samples: async () => samples,
  });
  return { model: models[0]!.model, facts };
}

function libraryOf(count: number, row: (i: number) => Float32Array): SampleLibrary {
  const rows = Array.from({ length: count }, (_, i) => row(i));
  return {
    ...rowsLibrary(1, count, 1),
    inputs: (i) => [
      { name: 'x', datatype: 'FP32', shape: [1, rows[i]!.length], data: new Uint8Array(rows[i]!.buffer) },
    ],
  };
}

function numbers(count: number, seed: number): Float32Array {
  const random = new FastRandom(seed);
  return Float32Array.from({ length: count }, () => 2 * canonicalDouble(random) - 1);
}

/** A [m, k] · B [k, n], in double precision. */
function product(a: Float32Array, b: Float32Array, m: number, k: number, n: number): Float32Array {
  return Float32Array.from({ length: m * n }, (_, at) => {
    let sum = 0;
    for (let x = 0; x < k; x++) sum += a[Math.floor(at / n) * k + x]! * b[x * n + (at % n)]!;
    return sum;
  });
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}
