import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { batchingProblem, maxBatch } from '../../../servers/models/batch.js';
import { inspectModel } from '../../../servers/models/inspect.js';
import { models } from '../../../servers/models/registry.js';
import { resolveModel } from '../../../servers/models/resolve.js';
import { linearGraph, writeOnnx } from '../../fixtures/onnx-file.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark models '));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a model by its path', () => {
  test('is named after its file and known by its SHA-256', async () => {
    const path = writeOnnx(join(folder, 'linear.onnx'), linearGraph());
    const model = await resolveModel({ path });
    expect(model).toMatchObject({ name: 'linear', version: '1', runtime: 'onnx' });
    expect(model.sha256).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'));
  });

  test.each([
    ['missing.onnx', 'there is no such file'],
    ['text.txt', 'no runtime loads files that end in ".txt"'],
    ['empty.onnx', 'the file is empty'],
    ['folder.onnx', 'it is no file'],
  ])('%s is refused: %s', async (name, message) => {
    writeFileSync(join(folder, 'text.txt'), 'text');
    writeFileSync(join(folder, 'empty.onnx'), '');
    mkdirSync(join(folder, 'folder.onnx'), { recursive: true });
    await expect(resolveModel({ path: join(folder, name) })).rejects.toThrow(message);
  });

  test('outside of the model root is refused, through a link too', async () => {
    const root = join(folder, 'root');
    mkdirSync(root);
    const outside = writeOnnx(join(folder, 'outside.onnx'), linearGraph());
    const inside = writeOnnx(join(root, 'inside.onnx'), linearGraph());
    symlinkSync(outside, join(root, 'link.onnx'));
    await expect(resolveModel({ path: inside, root })).resolves.toMatchObject({ name: 'inside' });
    for (const path of [outside, join(root, 'link.onnx'), join(root, '..', 'outside.onnx')])
      await expect(resolveModel({ path, root })).rejects.toThrow('outside of the model root');
  });

  test('tells its inputs and outputs without being served', async () => {
    const path = writeOnnx(join(folder, 'fixed.onnx'), linearGraph(8));
    const metadata = await inspectModel(await resolveModel({ path }));
    expect(metadata.inputs).toEqual([{ name: 'x', datatype: 'FP32', shape: [8, 4] }]);
    expect(maxBatch(metadata)).toBe(8);
  });

  test('that is no model is refused when it is inspected, naming the file', async () => {
    const path = join(folder, 'broken.onnx');
    writeFileSync(path, 'broken');
    await expect(inspectModel(await resolveModel({ path }))).rejects.toThrow('broken.onnx');
  });
});

test('a model by its runtime needs no file; options are checked with their place', async () => {
  expect(await resolveModel({ runtime: 'null' })).toMatchObject({ name: 'null', path: undefined, sha256: undefined });
  await expect(resolveModel({ runtime: 'synthetic', options: { mode: 'nap' } })).rejects.toThrow(
    'model synthetic.mode',
  );
  await expect(resolveModel({ runtime: 'abacus' })).rejects.toThrow(
    'Allowed: onnx, tfjs, pipeline-parallel, tensor-parallel, staged, buckets, synthetic, null',
  );
  await expect(resolveModel({ zoo: 'unicorn' })).rejects.toThrow('there is no model in the zoo "unicorn"');
});

test.each(models.map((model) => [model.name, model] as const))(
  '%s of the zoo is whole and can be batched',
  async (name, model) => {
    const resolved = await model.resolve();
    expect(resolved.name).toBe(name);
    const metadata = await inspectModel(resolved);
    expect(maxBatch(metadata)).toBe(Number.POSITIVE_INFINITY);
  },
);

describe('the batch rule', () => {
  const dynamic = { name: 'x', datatype: 'FP32' as const, shape: [-1, 4] };
  const fixed = { name: 'data', datatype: 'FP32' as const, shape: [8, 3, 224, 224] };

  test('dynamic in every input and output: no limit; one fixed input: its size; different ones: 0', () => {
    expect(maxBatch({ inputs: [dynamic], outputs: [dynamic] })).toBe(Number.POSITIVE_INFINITY);
    expect(maxBatch({ inputs: [fixed], outputs: [dynamic] })).toBe(8);
    expect(maxBatch({ inputs: [fixed, { ...dynamic, shape: [4] }], outputs: [dynamic] })).toBe(0);
    expect(maxBatch({ inputs: [dynamic], outputs: [{ ...dynamic, shape: [1] }] })).toBe(0);
  });

  test('a strategy that batches is refused for a fixed batch, with tensor and remedy; one that does not is welcome', () => {
    const problem = batchingProblem({ inputs: [fixed], outputs: [dynamic] }, 64, 'x.yaml:9 systems.batching');
    expect(problem?.found).toBe(
      'batches of up to 64 rows do not fit input "data" [8,3,224,224], whose first dimension is fixed',
    );
    expect(problem?.remedy).toContain('dynamic batch axis');
    expect(batchingProblem({ inputs: [fixed], outputs: [dynamic] }, 1, 'x')).toBeUndefined();
    expect(batchingProblem({ inputs: [dynamic], outputs: [dynamic] }, 64, 'x')).toBeUndefined();
  });
});
