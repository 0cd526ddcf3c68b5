import { describe, expect, test } from 'vitest';
import { addConstants, node, valueInfo } from '../../../optimizers/onnx/build.js';
import { checkModel, type OnnxModel, readModel } from '../../../optimizers/onnx/index.js';
import { emptyModel, initializer } from '../../../optimizers/onnx/model.js';
import { encodeModel } from '../../../optimizers/onnx/write.js';
import { parsePassOptions, passNamed } from '../../../optimizers/passes/index.js';
import type { RuntimeTensor } from '../../../servers/runtimes/index.js';
import { workFolder } from '../../e2e/folders.js';
import { FASHION_MLP } from '../../fixtures/onnx-models.js';
import { runModel } from '../../fixtures/run-plan.js';

const folder = workFolder('bucket');

/** Tokens [N, sequence, 4] → a score a token [N, sequence, 2], and, if `pooled`, their mean over the sequence. */
function tokens(pooled: boolean, second = 'sequence'): OnnxModel {
  const model = emptyModel('tokens', 17, 'test');
  model.graph.input.push(valueInfo('x', ['N', 'sequence', 4]), valueInfo('more', ['N', second, 4]));
  model.graph.output.push(valueInfo('scores', ['N', 'sequence', 2]));
  addConstants(
    model,
    initializer(
      'w',
      [4, 2],
      Float32Array.from({ length: 8 }, (_, i) => Math.cos(i)),
    ),
  );
  model.graph.node.push(
    node('MatMul', ['x', 'w'], ['product']),
    node('MatMul', ['more', 'w'], ['product2']),
    second === 'sequence' ? node('Add', ['product', 'product2'], ['scores']) : node('Relu', ['product'], ['scores']),
  );
  if (pooled) {
    model.graph.output.push(valueInfo('mean', ['N', 2]));
    model.graph.node.push(node('ReduceMean', ['scores'], ['mean'], { axes: [1n], keepdims: 0n }));
  }
  return model;
}

async function apply(model: OnnxModel, chosen: Record<string, unknown>) {
  const pass = passNamed('bucket');
  const samples = async () => Promise.reject(new Error('bucket needs no samples'));
  return pass.apply(model, parsePassOptions(pass, chosen), { place: 'net', samples });
}

/** [2, length, 4]: the first `real` tokens of each row, zeros behind. */
function input(name: string, real: number, length: number): RuntimeTensor {
  const values = new Float32Array(2 * length * 4);
  for (let row = 0; row < 2; row++)
    for (let i = 0; i < real * 4; i++) values[row * length * 4 + i] = Math.sin(row * 100 + i + name.length);
  return { name, datatype: 'FP32', shape: [2, length, 4], buffer: values.buffer };
}

describe('bucket', () => {
  test('makes a model a length, shortest first, whose answers to padded sequences begin with those of the whole', async () => {
    const model = tokens(false);
    const before = encodeModel(model);
    const { models, plan, facts, notes } = await apply(model, { lengths: [16, 8, 8] });
    expect(encodeModel(model).equals(before)).toBe(true);
    expect(plan).toMatchObject({
      kind: 'buckets',
      steps: [
        { kind: 'bucket', model: 'length8', length: 8, inputs: ['x', 'more'], outputs: ['scores'] },
        { kind: 'bucket', model: 'length16', length: 16 },
      ],
    });
    expect(facts).toMatchObject({
      padded: [
        { input: 'x', axis: 1 },
        { input: 'more', axis: 1 },
      ],
      cut: [{ output: 'scores', axis: 1 }],
    });
    const [whole] = await runModel(
      folder,
      model,
      ['x', 'more'].map((name) => input(name, 5, 5)),
    );
    for (const [i, length] of [8, 16].entries()) {
      const { model: fixed } = models[i]!;
      expect(checkModel(fixed, 'fixed')).toEqual([]);
      const [scores] = await runModel(
        folder,
        fixed,
        ['x', 'more'].map((name) => input(name, 5, length)),
      );
      expect(scores!.shape).toEqual([2, length, 2]);
      for (let row = 0; row < 2; row++)
        expect([...new Float32Array(scores!.buffer, row * length * 8, 10)]).toEqual([
          ...new Float32Array(whole!.buffer, row * 40, 10),
        ]);
      await expect(
        runModel(
          folder,
          fixed,
          ['x', 'more'].map((name) => input(name, 5, 5)),
        ),
      ).rejects.toThrow(/dimension|shape/i);
    }
    expect(notes.join()).toMatch(/padding left the answers as they were.*longer than 16 have no bucket/);
  });

  test('says where padding changes answers, as a mean without a mask does', async () => {
    const { notes, facts } = await apply(tokens(true), {});
    expect(facts.largestChangeByPadding).toBeGreaterThan(0.01);
    expect(notes.join()).toMatch(/padding changed the answers .*mask/);
  });

  test('asks which dimension where several are dynamic, and refuses a model that has none', async () => {
    await expect(apply(tokens(false, 'other'), {})).rejects.toThrow(/finds 2 dynamic dimensions.*sequence or other/);
    await expect(apply(tokens(false, 'other'), { dimension: 'words' })).rejects.toThrow(/no dynamic dimension "words"/);
    const { facts } = await apply(tokens(false, 'other'), { dimension: 'other', lengths: [4] });
    expect(facts).toMatchObject({ padded: [{ input: 'more', axis: 1 }], cut: [] });
    await expect(apply(readModel(FASHION_MLP), {})).rejects.toThrow(/no named dynamic dimension beside the batch/);
  });
});
