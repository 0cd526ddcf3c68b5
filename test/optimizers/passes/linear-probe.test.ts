import { describe, expect, test } from 'vitest';
import type { SampleLibrary } from '../../../clients/samples/index.js';
import { areComparable, fidelityOf } from '../../../optimizers/fidelity.js';
import { addConstants, node, valueInfo } from '../../../optimizers/onnx/build.js';
import { checkModel, type OnnxModel } from '../../../optimizers/onnx/index.js';
import { emptyModel, initializer } from '../../../optimizers/onnx/model.js';
import { encodeModel } from '../../../optimizers/onnx/write.js';
import { linearProbe } from '../../../optimizers/passes/linear-probe.js';
import { quantizeDynamic } from '../../../optimizers/passes/quantize-dynamic.js';
import { firstOutputs } from '../../../optimizers/passes/support/activations.js';
import { canonicalDouble, FastRandom } from '../../../results/stats/index.js';
import { rowsLibrary } from '../../fixtures/dense-nets.js';

const WIDTH = 12;

/** x FP32 [rows,12] → a tensor of all tokens, the embedding [rows,16], and what reads the embedding. */
function encoder(): OnnxModel {
  const random = new FastRandom(5);
  const model = emptyModel('encoder', 17);
  model.graph.input.push(valueInfo('x', ['rows', WIDTH]));
  const weights = Float32Array.from({ length: WIDTH * 16 }, () => 2 * canonicalDouble(random) - 1);
  addConstants(model, initializer('w', [WIDTH, 16], weights), initializer('axes', [1], BigInt64Array.of(1n)));
  model.graph.node.push(
    node('Unsqueeze', ['x', 'axes'], ['hidden']),
    node('MatMul', ['x', 'w'], ['pooled']),
    node('Relu', ['pooled'], ['behind']),
  );
  model.graph.output.push(
    valueInfo('hidden', ['rows', 1, WIDTH]),
    valueInfo('pooled', ['rows', 16]),
    valueInfo('behind', ['rows', 16]),
  );
  return model;
}

/** Rows whose class is the largest of their first three numbers. */
function labelled(count: number, seed: number, label?: (index: number) => number): SampleLibrary {
  const rows = rowsLibrary(WIDTH, count, seed);
  const largest = (index: number) => {
    const [a, b, c] = new Float32Array(new Uint8Array(rows.inputs(index)[0]!.data).buffer) as unknown as number[];
    return a! >= b! && a! >= c! ? 0 : b! >= c! ? 1 : 2;
  };
  return { ...rows, label: label ?? largest };
}

const apply = (options: object, samples: SampleLibrary = labelled(600, 1), model = encoder()) =>
  linearProbe.apply(model, linearProbe.options.parse(options), { place: 'encoder', samples: async () => samples });

async function rightShare(model: OnnxModel, samples: SampleLibrary): Promise<number> {
  const { values, width, rows } = await firstOutputs(model, samples, samples.totalSampleCount);
  let right = 0;
  for (let row = 0; row < rows; row++) {
    const own = [...values.subarray(row * width, (row + 1) * width)];
    right += Number(own.indexOf(Math.max(...own)) === samples.label!(row));
  }
  return right / rows;
}

describe('linear-probe', () => {
  test('makes a classifier of an encoder, under the embedding’s name, and answers rows that it has not seen', async () => {
    const given = encoder();
    const before = encodeModel(given);
    const { models, facts, notes } = await apply({ output: 'pooled', rate: 0.1, epochs: 300 }, labelled(600, 1), given);
    expect(encodeModel(given).equals(before)).toBe(true);
    const probe = models[0]!.model;
    expect(checkModel(probe, 'probe')).toEqual([]);
    expect(probe.graph.output).toEqual([valueInfo('pooled', ['rows', 3])]);
    expect(probe.graph.node.map(({ opType }) => opType)).toEqual(['MatMul', 'LpNormalization', 'Gemm']);
    expect(facts).toMatchObject({ output: 'pooled', width: 16, classes: 3, training: { count: 600, seed: 1 } });
    expect(notes).toEqual(['the outputs hidden, behind are dropped']);
    expect(await rightShare(probe, labelled(500, 2))).toBeGreaterThan(0.93);
    const { models: others } = await quantizeDynamic.apply(probe, quantizeDynamic.options.parse({}), {
      place: 'probe',
      samples: async () => labelled(1, 1),
    });
    expect(await rightShare(others[0]!.model, labelled(500, 2))).toBeGreaterThan(0.9);
  });

  test('by the same seed gives the same bytes', async () => {
    const [a, b] = [await apply({ output: 'pooled', epochs: 3 }), await apply({ output: 'pooled', epochs: 3 })];
    expect(encodeModel(a.models[0]!.model).equals(encodeModel(b.models[0]!.model))).toBe(true);
  });

  test.each<[string, object, SampleLibrary, RegExp]>([
    ['samples without labels', { output: 'pooled' }, rowsLibrary(WIDTH, 60, 1), /they have no labels/],
    ['samples of one class', { output: 'pooled' }, labelled(60, 1, () => 0), /all 60 are of one class/],
    ['labels that are no classes', { output: 'pooled' }, labelled(60, 1, () => 0.5), /their labels/],
    ['an output that is not there', { output: 'poled' }, labelled(60, 1), /no output "poled".*hidden, pooled, behind/s],
    ['an output of tokens', {}, labelled(60, 1), /its output "hidden" is no embedding.*output=…/s],
  ])('refuses %s', async (_what, options, samples, message) => {
    await expect(apply(options, samples)).rejects.toThrow(message);
  });

  test('is compared with its encoder by nobody: their answers are of other widths', async () => {
    const { models } = await apply({ output: 'pooled', epochs: 1 });
    const model = encoder();
    model.graph.output = [model.graph.output[1]!];
    expect(areComparable(model, model)).toBe(true);
    expect(areComparable(model, models[0]!.model)).toBe(false);
    expect(areComparable(encoder(), model)).toBe(false);
    const open = encoder();
    open.graph.output = [valueInfo('pooled', undefined)];
    expect(areComparable(model, open)).toBe(true);
    await expect(fidelityOf(model, models[0]!.model, labelled(60, 1), 60)).rejects.toThrow(
      /it answers 3 numbers a row, its parent 16/,
    );
  });
});
