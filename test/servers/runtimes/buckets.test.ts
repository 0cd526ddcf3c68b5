import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addConstants, node, valueInfo } from '../../../optimizers/onnx/build.js';
import { writeModel } from '../../../optimizers/onnx/index.js';
import { emptyModel, initializer } from '../../../optimizers/onnx/model.js';
import { parsePassOptions, passNamed } from '../../../optimizers/passes/index.js';
import { createRuntime, type RuntimeTensor } from '../../../servers/runtimes/index.js';
import { startServer } from '../../../servers/server.js';
import { workFolder } from '../../e2e/folders.js';

const folder = workFolder('buckets');

/** Tokens [N, sequence, 2] → scores [N, sequence, 3], each token for itself. */
async function planOf(lengths: readonly number[]): Promise<{ plan: string; whole: string }> {
  const model = emptyModel('tokens', 17, 'test');
  model.graph.input.push(valueInfo('x', ['N', 'sequence', 2]));
  model.graph.output.push(valueInfo('scores', ['N', 'sequence', 3]));
  addConstants(model, initializer('w', [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)));
  model.graph.node.push(node('MatMul', ['x', 'w'], ['scores']));
  const whole = join(folder, 'whole.onnx');
  writeModel(model, whole);
  const pass = passNamed('bucket');
  const samples = () => Promise.reject(new Error('bucket needs no samples'));
  const { models, plan } = await pass.apply(model, parsePassOptions(pass, { lengths }), { place: 'net', samples });
  const files = Object.fromEntries(models.map(({ suffix }) => [suffix, `tokens.${suffix}.onnx`]));
  for (const part of models) writeModel(part.model, join(folder, files[part.suffix]!));
  const path = join(folder, 'tokens.plan.json');
  writeFileSync(path, JSON.stringify({ ...plan, files }));
  return { plan: path, whole };
}

function tokens(rows: number, length: number): RuntimeTensor {
  const values = Float32Array.from({ length: rows * length * 2 }, (_, i) => Math.sin(i + 1));
  return { name: 'x', datatype: 'FP32', shape: [rows, length, 2], buffer: values.buffer };
}

test('a sequence of 3 takes the bucket of 4, not that of 16, and answers as the whole model does', async () => {
  const { plan, whole } = await planOf([16, 4]);
  const [bucketed, dynamic] = [await createRuntime('buckets', plan, {}), await createRuntime('onnx', whole, {})];
  expect(bucketed.metadata).toMatchObject({ inputs: dynamic.metadata.inputs, outputs: dynamic.metadata.outputs });
  for (const [rows, length, padding] of [
    [2, 3, 2],
    [1, 4, 0],
    [2, 5, 22],
    [1, 16, 0],
  ] as const) {
    const [found] = await bucketed.execute([tokens(rows, length)], rows);
    const [wanted] = await dynamic.execute([tokens(rows, length)], rows);
    expect(found!.shape).toEqual([rows, length, 3]);
    expect([...new Float32Array(found!.buffer)]).toEqual([...new Float32Array(wanted!.buffer)]);
    expect(bucketed.lastParts!()).toEqual([
      { name: 'sequence', unit: 'count', value: rows * length },
      { name: 'padding', unit: 'count', value: padding },
    ]);
  }
  await expect(bucketed.execute([tokens(1, 17)], 1)).rejects.toThrow(
    'a sequence of 17 fits no bucket: the longest holds 16',
  );
  await bucketed.close();
  await dynamic.close();
});

test('through a server four buckets execute a fifth of the padding that one for the longest does', async () => {
  const padding: number[] = [];
  for (const lengths of [[64], [8, 16, 32, 64]]) {
    const { plan } = await planOf(lengths);
    const server = await startServer({
      name: 'buckets',
      model: { path: plan, name: 'tokens' },
      strategy: { name: 'serial' },
      frontends: {},
      warmUpExecutions: 0,
    });
    for (const length of [3, 8, 11, 20, 40, 64]) {
      const { buffer, ...rest } = tokens(1, length);
      const request = { modelName: 'tokens', inputs: [{ ...rest, data: new Uint8Array(buffer) }] };
      const [scores] = await new Promise<readonly { readonly shape: readonly number[] }[]>((resolve, reject) => {
        server.service.infer(request, 0, (outcome) =>
          outcome.ok ? resolve(outcome.response.outputs) : reject(outcome.error),
        );
      });
      expect(scores!.shape).toEqual([1, length, 3]);
    }
    const [statistics] = server.service.modelStatistics();
    expect(statistics!.servemark_parts).toContainEqual({ name: 'sequence', unit: 'count', count: 6, total: 146 });
    padding.push(statistics!.servemark_parts!.find(({ name }) => name === 'padding')!.total);
    await server.close();
  }
  expect(padding).toEqual([238, 46]);
});
