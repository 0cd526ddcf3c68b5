import { expect, test } from 'vitest';
import type { SampleLibrary } from '../../../clients/samples/index.js';
import { fidelityOf } from '../../../optimizers/fidelity.js';
import { addConstants, node, valueInfo } from '../../../optimizers/onnx/build.js';
import { checkModel } from '../../../optimizers/onnx/index.js';
import { emptyModel, initializer } from '../../../optimizers/onnx/model.js';
import { TensorProto_DataType } from '../../../optimizers/onnx/proto/onnx_pb.js';
import { distill } from '../../../optimizers/passes/distill.js';
import { FastRandom } from '../../../results/stats/index.js';

/** tokens INT32 [N,8] → which of three stands most often: Softmax of 2 · counts. */
function counter() {
  const model = emptyModel('counter', 17);
  model.graph.input.push(valueInfo('tokens', ['N', 8], TensorProto_DataType.INT32));
  model.graph.output.push(valueInfo('classes', ['N', 3]));
  const one = Float32Array.from({ length: 9 }, (_, at) => (at % 4 === 0 ? 16 : 0));
  addConstants(model, initializer('table', [3, 3], one));
  model.graph.node.push(
    node('Gather', ['table', 'tokens'], ['each'], { axis: 0n }),
    node('ReduceMean', ['each'], ['logits'], { axes: [1n], keepdims: 0n }),
    node('Softmax', ['logits'], ['classes'], { axis: -1n }),
  );
  return model;
}

function rows(count: number, seed: number): SampleLibrary {
  const random = new FastRandom(seed);
  const each = Array.from({ length: count }, () => Int32Array.from({ length: 8 }, () => random.next32() % 3));
  return {
    name: 'rows',
    totalSampleCount: count,
    performanceSampleCount: count,
    sha256: '',
    inputs: (index) => [
      { name: 'tokens', datatype: 'INT32', shape: [1, 8], data: new Uint8Array(each[index]!.buffer) },
    ],
  };
}

const apply = (options: object) =>
  distill.apply(counter(), distill.options.parse(options), { place: 'counter', samples: async () => rows(480, 1) });

test('a student of tokens counts them in windows, answers probabilities as its teacher, and keeps its interface', async () => {
  const { models, facts } = await apply({
    vocabulary: 3,
    windows: 2,
    hidden: [16],
    epochs: 40,
    rate: 0.01,
    temperature: 1,
  });
  const student = models[0]!.model;
  expect(checkModel(student, 'student')).toEqual([]);
  expect(facts).toMatchObject({ widths: [6, 16, 3] });
  expect(student.graph.node.map(({ opType }) => opType)).not.toContain('OneHot');
  const found = await fidelityOf(counter(), student, rows(200, 2), 200);
  expect(found.cosine).toBeGreaterThan(0.98);
});

test.each([
  [{}, /vocabulary/],
  [{ vocabulary: 2 }, /token 2 is none of a vocabulary of 2/],
  [{ vocabulary: 3, windows: 3 }, /do not divide 8 tokens/],
  [{ vocabulary: 3, mixed: 1 }, /tokens do not mix/],
] as const)('%o is refused', async (options, message) => {
  await expect(apply({ windows: 2, ...options })).rejects.toThrow(message);
});
