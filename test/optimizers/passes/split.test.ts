import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkModel, type OnnxModel, readModel } from '../../../optimizers/onnx/index.js';
import type { PassResult } from '../../../optimizers/passes/contract.js';
import { parsePassOptions, passNamed } from '../../../optimizers/passes/index.js';
import { balanced } from '../../../optimizers/passes/split-pipeline.js';
import { UserError } from '../../../results/errors.js';
import type { RuntimeTensor } from '../../../servers/runtimes/index.js';
import { workFolder } from '../../e2e/folders.js';
import { denseNet, netForms } from '../../fixtures/dense-nets.js';
import { FASHION_MLP } from '../../fixtures/onnx-models.js';
import { runModel, runPlan } from '../../fixtures/run-plan.js';
import { transformer } from '../../fixtures/transformer.js';

const folder = workFolder('split');

function input(...shape: number[]): RuntimeTensor {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i));
  return { name: 'x', datatype: 'FP32', shape, buffer: values.buffer };
}

async function split(name: string, model: OnnxModel, options: Record<string, unknown>): Promise<PassResult> {
  const pass = passNamed(name);
  const none = async () => {
    throw new UserError({ place: 'samples', found: 'none' });
  };
  return pass.apply(model, parsePassOptions(pass, options), { place: 'net', samples: none });
}

async function differenceOf(model: OnnxModel, result: PassResult, x: RuntimeTensor): Promise<number> {
  for (const part of result.models) expect(checkModel(part.model, part.suffix)).toEqual([]);
  const [whole] = await runModel(folder, model, [{ ...x, buffer: x.buffer.slice(0) }]);
  const [parts] = await runPlan(folder, result, [x]);
  expect(parts!.shape).toEqual(whole!.shape);
  const [a, b] = [new Float32Array(whole!.buffer), new Float32Array(parts!.buffer)];
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
}

describe('split-pipeline', () => {
  test('the slowest of three stages is as fast as cuts allow', () => {
    // 5 | 4 1 | 6 would be 6 at most; a cut before place 3 is not allowed: 5 | 4 | 1 6 is 7, 5 4 | 1 | 6 is 9.
    expect(balanced([5, 4, 1, 6], [1, 2], 3)).toEqual([1, 2]);
    expect(balanced([5, 4, 1, 6], [1, 2, 3], 3)).toEqual([1, 3]);
  });

  test.each([2, 3])('%i stages of the embedded model give its outputs to the bit', async (stages) => {
    const model = readModel(FASHION_MLP);
    const result = await split('split-pipeline', model, { stages });
    expect(result.models).toHaveLength(stages);
    expect(await differenceOf(model, result, input(3, 784))).toBe(0);
    const shares = result.facts.shares as number[];
    expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 2);
  });

  test('a transformer is cut between its halves, where one value is alive', async () => {
    const model = transformer();
    const result = await split('split-pipeline', model, { stages: 2, balance: 'flops' });
    expect(await differenceOf(model, result, input(2, 4, 16))).toBe(0);
    // The graph's own input, which the residual reads again, is at hand everywhere: it does not count.
    expect(result.facts.cuts).toEqual([['out_m']]);
  });

  test('more stages than cuts are refused, with their number', async () => {
    const attempt = split('split-pipeline', transformer(), { stages: 9 });
    await expect(attempt).rejects.toThrow(/\d places where at most 1 value is alive do for 9 stages/);
  });
});

describe('split-tensor', () => {
  test('shards of generated nets add up to the whole within 1e-4', async () => {
    let sharded = 0;
    await fc.assert(
      fc.asyncProperty(netForms, fc.integer({ min: 2, max: 4 }), async (form, shards) => {
        const model = denseNet({ ...form, irVersion: 10 });
        const result = await split('split-tensor', model, { shards, minWeights: 0 });
        sharded++;
        expect(await differenceOf(model, result, input(3, form.inputs))).toBeLessThanOrEqual(1e-4);
      }),
      { numRuns: 12, seed: 3 },
    );
    expect(sharded).toBe(12);
  });

  test('the embedded model: a pair that is summed and a layer that stays whole', async () => {
    const model = readModel(FASHION_MLP);
    const result = await split('split-tensor', model, { shards: 2 });
    expect(result.plan!.steps.map((step) => [step.kind, step.outputs])).toEqual([
      ['sharded', ['dense1']],
      ['whole', ['logits']],
    ]);
    // Two partial sums of 1024 FP32 numbers a row.
    expect(result.facts).toMatchObject({ pairs: 1, sums: 1, bytesPerRow: 2 * 1024 * 4 });
    expect(await differenceOf(model, result, input(3, 784))).toBeLessThanOrEqual(1e-4);
  });

  test('a transformer is sliced by heads and by FFN width', async () => {
    const model = transformer();
    const result = await split('split-tensor', model, { shards: 2, minWeights: 0 });
    expect(result.facts).toMatchObject({ attention: 1, pairs: 1, columns: 0, sums: 2 });
    expect(await differenceOf(model, result, input(2, 4, 16))).toBeLessThanOrEqual(1e-4);
  });
});

describe('prune-structured', () => {
  test('takes heads out of an attention block, and half of the FFN width', async () => {
    const x = input(2, 4, 16);
    for (const [options, gone] of [
      // Of q, k and v 8 columns of 16 and a bias each, of the output layer 8 rows of 16.
      [{ what: 'heads', share: 0.5 }, 3 * 8 * (16 + 1) + 8 * 16],
      // 16 hidden units: a column of 16 with its bias, a row of 16.
      [{ share: 0.5 }, 16 * (16 + 1 + 16)],
    ] as const) {
      const { models } = await split('prune-structured', transformer(), options);
      const [y] = await runModel(folder, models[0]!.model, [{ ...x, buffer: x.buffer.slice(0) }]);
      expect(y!.shape).toEqual([2, 4, 16]);
      const size = (model: OnnxModel) =>
        [...model.initializers.values()].reduce(
          (sum, { header }) => sum + header.dims.reduce((a, b) => a * Number(b), 1),
          0,
        );
      expect(size(transformer()) - size(models[0]!.model)).toBe(gone);
    }
  });

  test('taking no head out changes nothing', async () => {
    const result = await split('prune-structured', transformer(), { what: 'heads', share: 0 });
    const [a] = await runModel(folder, transformer(), [input(2, 4, 16)]);
    const [b] = await runModel(folder, result.models[0]!.model, [input(2, 4, 16)]);
    expect(new Float32Array(b!.buffer)).toEqual(new Float32Array(a!.buffer));
  });
});
