import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { halves } from '../../../clients/samples/index.js';
import { fidelityOf } from '../../../optimizers/fidelity.js';
import { readModel } from '../../../optimizers/onnx/index.js';
import { distill } from '../../../optimizers/passes/distill.js';
import { pruneUnstructured } from '../../../optimizers/passes/prune-unstructured.js';
import { sparsityAt, zeroSmallest } from '../../../optimizers/passes/support/magnitude.js';
import { denseNet, rowsLibrary } from '../../fixtures/dense-nets.js';
import { fashionSamples } from '../../fixtures/fashion.js';
import { FASHION_MLP } from '../../fixtures/onnx-models.js';

const model = readModel(FASHION_MLP);
const { forPasses, others } = halves(await fashionSamples());
const context = { place: 'm', samples: async () => forPasses };

describe('a student', () => {
  const student = { hidden: [64], rate: 3e-3 };
  const judgedBy = async (options: object) => {
    const { models, facts } = await distill.apply(model, distill.options.parse({ ...student, ...options }), context);
    return { facts, fidelity: await fidelityOf(model, models[0]!.model, others, 1000) };
  };

  test('sees seven mixes a sample as well, and learns more in as many epochs', async () => {
    const alone = await judgedBy({ trainCount: 120, epochs: 25 });
    const mixed = await judgedBy({ trainCount: 120, epochs: 25, mixed: 7 });
    expect(mixed.facts.training).toMatchObject({ count: 120, mixed: 7 * 120 });
    expect(mixed.fidelity.cosine).toBeGreaterThan(alone.fidelity.cosine);
  });

  test('at a temperature learns what the teacher decides', async () => {
    const soft = await judgedBy({ trainCount: 480, epochs: 16, temperature: 2 });
    expect(soft.facts.training).toMatchObject({ temperature: 2 });
    expect(soft.fidelity.agreement).toBeGreaterThan(0.75);
  });

  test.each([{ mixed: 1 }, { temperature: 2 }])('of labels takes no %o', async (option) => {
    const [name] = Object.keys(option) as [string];
    await expect(judgedBy({ ...option, targets: 'labels' })).rejects.toThrow(
      new RegExp(`${name}.*targets: teacher`, 's'),
    );
  });
});

describe('zeros that grow while a net is trained', () => {
  test('are all there at 80 % of the training, half of the way at 7/8 of them', () => {
    expect([0, 0.4, 0.8, 1].map((done) => sparsityAt(done, 0.9))).toEqual([0, 0.9 * 0.875, 0.9, 0.9]);
  });

  test('leave more of the answers than zeros set at once', async () => {
    const net = denseNet({
      inputs: 24,
      layers: [40, 40, 10].map((width, i) => ({ width, form: 'gemm', activation: i < 2 ? 'Relu' : 'none' })),
      seed: 1,
      irVersion: 10,
      shared: false,
    });
    const zeroed = async (options: object) => {
      const parsed = pruneUnstructured.options.parse({ sparsity: 0.8, scope: 'global', ...options });
      const samples = async () => rowsLibrary(24, 1200, 1);
      const { models, facts } = await pruneUnstructured.apply(net, parsed, { place: 'net', samples });
      expect(facts.sparsity).toBeCloseTo(0.8, 2);
      return (await fidelityOf(net, models[0]!.model, rowsLibrary(24, 256, 2), 256)).cosine;
    };
    const [atOnce, grown] = [await zeroed({}), await zeroed({ epochs: 20, rate: 3e-3 })];
    expect(grown).toBeGreaterThan(atOnce + 0.1);
  });
});

test.each(['layer', 'global'] as const)(
  'zeroSmallest by %s makes exactly the share of smallest magnitudes 0',
  (scope) => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 30 }), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const arrays = values.map((each) => Float32Array.from(each));
          zeroSmallest(arrays, share, scope);
          const groups =
            scope === 'layer'
              ? values.map((each, i) => [each, [...arrays[i]!]])
              : [[values.flat(), arrays.flatMap((each) => [...each])]];
          for (const [before, after] of groups as [number[], number[]][]) {
            const sizes = before.map(Math.abs).sort((a, b) => a - b);
            const count = Math.floor(share * before.length);
            const limit = count === 0 ? -1 : sizes[count - 1]!;
            expect(after).toEqual(before.map((value) => (Math.abs(value) <= limit ? 0 : value)));
          }
        },
      ),
    );
  },
);
