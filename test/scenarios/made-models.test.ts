import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addConstants, node, valueInfo } from '../../optimizers/onnx/build.js';
import { emptyModel, initializer } from '../../optimizers/onnx/model.js';
import { TensorProto_DataType } from '../../optimizers/onnx/proto/onnx_pb.js';
import { encodeModel } from '../../optimizers/onnx/write.js';
import { loadScenario } from '../../scenarios/load.js';
import { planTrials } from '../../scenarios/plan.js';
import { makeVariants, planWithModels } from '../../scenarios/prepare.js';
import { entrySchema, newModel, resolveModel } from '../../servers/models/index.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-made-'));
const before = process.env.SERVEMARK_CACHE;
beforeAll(() => {
  process.env.SERVEMARK_CACHE = join(folder, 'cache');
});
afterAll(() => {
  if (before === undefined) delete process.env.SERVEMARK_CACHE;
  else process.env.SERVEMARK_CACHE = before;
  rmSync(folder, { recursive: true });
});

function scenario(systems: string, more = ''): ReturnType<typeof loadScenario> {
  const path = join(folder, 's.yaml');
  writeFileSync(
    path,
    `schema: 1
question: Which?
model: { dense: { layers: 2, width: 64 } }
systems: { whole: { strategy: serial }, ${systems} }
loads: { alone: { type: single-stream, duration: 1s } }
${more}`,
  );
  return loadScenario(path);
}

const pathOf = (loaded: ReturnType<typeof loadScenario>, system: string) => {
  const { model } = loaded.systems.find(({ name }) => name === system)!;
  return 'path' in model ? model.path : '';
};

test('planning makes a model of passes once, with its provenance; a file that was changed is made again', async () => {
  const loaded = scenario('half: { strategy: serial, model: { passes: [fp16] } }');
  const { stored } = await planWithModels(loaded, 'servemark plan');
  const path = pathOf(loaded, 'half');
  const made = readFileSync(path);
  expect(existsSync(path.replace('.onnx', '.provenance.json'))).toBe(true);
  const [whole, half] = stored.systems;
  expect(half!.model!.passes).toEqual(['fp16']);
  expect(half!.model!.bytes / whole!.model!.bytes).toBeLessThan(0.6);
  writeFileSync(path, 'broken');
  await planWithModels(loaded, 'servemark plan');
  expect(readFileSync(path).equals(made)).toBe(true);
});

test('a model that passes split is planned as its plan, for the runtime that executes it, and as large as its parts', async () => {
  const loaded = scenario(
    'stages: { strategy: serial, model: { passes: [{ name: split-pipeline, balance: flops }], microBatches: 2 } }, shards: { strategy: serial, model: { passes: [{ name: split-tensor, minWeights: 0 }] } }',
  );
  const { stored } = await planWithModels(loaded, 'servemark plan');
  const [whole, stages, shards] = stored.systems.map(({ model }) => model!);
  expect(pathOf(loaded, 'stages')).toMatch(/dense-2x64-seed1\+split-pipeline\.plan\.json$/);
  for (const { bytes } of [stages!, shards!]) expect(bytes / whole!.bytes).toBeCloseTo(1, 1);
  const resolved = await resolveModel(loaded.systems[1]!.model);
  expect(resolved).toMatchObject({ runtime: 'pipeline-parallel', runtimeOptions: { microBatches: 2 } });
  expect((await resolveModel(loaded.systems[2]!.model)).runtime).toBe('tensor-parallel');
  const wrong = scenario(
    'x: { strategy: serial, model: { passes: [{ name: split-pipeline, balance: flops }], microBatch: 2 } }',
  );
  await expect(planWithModels(wrong, 'servemark plan')).rejects.toThrow(/microBatch.*microBatches/s);
});

test('a model asked of the other runtime is converted once, both ways, with passes before; the plan tells it', async () => {
  const loaded = scenario(
    'other: { strategy: serial, model: { runtime: tfjs, backend: cpu } }, thin: { strategy: serial, model: { passes: [{ name: low-rank, ratio: 0.25, minWeights: 0, minSide: 1 }], runtime: tfjs } }, same: { strategy: serial, model: { runtime: onnx, intraOpNumThreads: 2 } }',
  );
  const { stored } = await planWithModels(loaded, 'servemark plan');
  const [whole, other, thin, same] = stored.systems.map(({ model }) => model!);
  expect([whole!.passes, same!.passes]).toEqual([[], []]);
  expect(other!.passes).toEqual(['conversion to tfjs']);
  expect(thin!.passes.at(-1)).toBe('conversion to tfjs');
  const path = pathOf(loaded, 'other');
  expect(path).toMatch(/dense-2x64-seed1\.json$/);
  // Weights 2 · (64² + 64) floats beside a model.json.
  expect(other!.bytes).toBeGreaterThan(4 * 2 * (64 * 64 + 64));
  expect(await resolveModel(loaded.systems[1]!.model)).toMatchObject({
    runtime: 'tfjs',
    runtimeOptions: { backend: 'cpu' },
    provenance: 'converted to tfjs',
  });
  const back = join(folder, 'back.yaml');
  writeFileSync(
    back,
    `schema: 1
question: Which?
model: { path: ${path} }
systems: { tfjs: { strategy: serial }, onnx: { strategy: serial, model: { runtime: onnx } } }
loads: { alone: { type: single-stream, duration: 1s } }
`,
  );
  const again = await planWithModels(loadScenario(back), 'servemark plan');
  expect(again.stored.systems.map(({ model }) => model!.passes)).toEqual([[], ['conversion to onnx']]);
  expect(() => scenario('x: { strategy: serial, model: { runtime: tfjs, intraOpNumThreads: 2 } }')).toThrow(
    /intraOpNumThreads.*backend/s,
  );
  expect(() => scenario('x: { strategy: serial, model: { passes: [split-pipeline], runtime: tfjs } }')).toThrow(
    /split-pipeline makes several models.*Leave the runtime out/,
  );
  const refused = scenario('x: { strategy: serial, model: { passes: [fp16], runtime: tfjs } }');
  await expect(planWithModels(refused, 'servemark plan')).rejects.toThrow(
    /systems\.x: .*can't be written for TensorFlow\.js/,
  );
});

test('what a pass refuses is told at the system, before anything starts', async () => {
  const loaded = scenario('twice: { strategy: serial, model: { passes: [quantize-dynamic, quantize-dynamic] } }');
  const systems = loaded.systems.map(({ name, model }) => ({ model, place: `systems.${name}` }));
  await expect(makeVariants(systems)).rejects.toThrow(/systems\.twice/);
});

test('an unknown pass and a wrong option are problems of the scenario file', () => {
  expect(() => scenario('x: { strategy: serial, model: { passes: [fp61] } }')).toThrow(/there is no pass "fp61"/);
  expect(() => scenario('x: { strategy: serial, model: { passes: [{ name: quantize-weights, bits: 5 }] } }')).toThrow(
    /bits/,
  );
});

test('a relative target names a system and needs accuracy; the reference is judged first', () => {
  const systems = 'half: { strategy: serial, model: { passes: [fp16] } }';
  expect(() => scenario(systems, 'targets: { relativeAccuracy: 99% of half }')).toThrow(/no accuracy is measured/);
  expect(() => scenario(systems, 'accuracy: true\ntargets: { relativeAccuracy: 99% of nobody }')).toThrow(/nobody/);
  const loaded = scenario(systems, 'accuracy: { sampled: 5% }\ntargets: { relativeAccuracy: 99.9% of half }');
  expect(loaded.targets.relativeAccuracy).toEqual({ share: 0.999, system: 'half' });
  const trials = planTrials(loaded);
  expect(trials[0]!.identity).toMatchObject({ system: 'half', loadType: 'accuracy' });
  expect(trials.at(-1)).toMatchObject({ judge: true, judgedShare: 0.05 });
});

test('a system’s model that names no source is the scenario’s model with other options', () => {
  const loaded = scenario(
    'two: { strategy: serial, model: { intraOpNumThreads: 2 } }, made: { strategy: serial, model: { passes: [fp16], executionProviders: [cuda] } }',
  );
  const [whole, two, made] = loaded.systems.map(({ model }) => model);
  expect(two).toEqual({ ...whole, options: { intraOpNumThreads: 2 } });
  expect(made).toMatchObject({ options: { executionProviders: ['cuda'] }, made: { parent: whole } });
  expect(() => scenario('two: { strategy: serial, model: { intraOpThreads: 2 } }')).toThrow(/intraOpThreads/);
});

test('a generated net is written when a run is planned, not when its scenario is read; another seed, another net', async () => {
  const pathOf = (seed: number) => join(folder, 'cache', `dense-3x32-seed${seed}.onnx`);
  const read = (seed: number) => {
    const file = join(folder, 'dense.yaml');
    writeFileSync(
      file,
      `schema: 1
question: Which?
model: { dense: { layers: 3, width: 32, seed: ${seed} } }
systems: { whole: { strategy: serial } }
loads: { alone: { type: single-stream, duration: 1s } }
`,
    );
    return loadScenario(file);
  };
  const loaded = read(7);
  expect(loaded.model).toMatchObject({ path: pathOf(7), dense: { layers: 3, width: 32, seed: 7 } });
  expect(existsSync(pathOf(7))).toBe(false);
  await planWithModels(loaded, 'servemark plan');
  const written = readFileSync(pathOf(7));
  await planWithModels(read(8), 'servemark plan');
  expect(readFileSync(pathOf(8)).equals(written)).toBe(false);
  expect(readFileSync(pathOf(7)).equals(written)).toBe(true);
});

test('passes calibrate on what the processor before the model makes of the samples, not on what clients send', async () => {
  const model = emptyModel('bytes', 17);
  model.graph.input.push(valueInfo('bytes', ['N', 2048], TensorProto_DataType.INT32));
  model.graph.output.push(valueInfo('scores', ['N', 4]));
  addConstants(
    model,
    initializer(
      'w',
      [2048, 4],
      Float32Array.from({ length: 8192 }, (_, at) => (at % 7) - 3),
    ),
  );
  model.graph.node.push(
    node('Cast', ['bytes'], ['x'], { to: BigInt(TensorProto_DataType.FLOAT) }),
    node('MatMul', ['x', 'w'], ['scores']),
  );
  const files = join(folder, 'files');
  mkdirSync(files);
  for (const [i, byte] of [65, 90, 97, 122].entries())
    writeFileSync(join(files, `${i}.json`), Buffer.alloc(3000, byte));
  writeFileSync(join(folder, 'bytes.onnx'), encodeModel(model));
  const entry = { name: 'bytes', licence: 'MIT', model: { path: 'bytes.onnx' }, pre: { name: 'magika-bytes' } };
  (await newModel(entrySchema.parse(entry), folder, 'test')).keep();
  const written = join(folder, 'processed.yaml');
  writeFileSync(
    written,
    `schema: 1
question: Which?
model: bytes
samples: { name: typed-files, directory: ${files}, forPasses: 3 }
systems: { whole: { strategy: serial }, int8: { strategy: serial, model: { passes: [quantize-static] } } }
loads: { alone: { type: single-stream, duration: 1s } }
`,
  );
  const loaded = loadScenario(written);
  await planWithModels(loaded, 'servemark plan');
  const provenance = JSON.parse(readFileSync(pathOf(loaded, 'int8').replace('.onnx', '.provenance.json'), 'utf8'));
  const [{ facts }] = provenance.passes;
  // Three of the four files, evenly spread: all but the last one, 97 the largest byte among them.
  expect([facts.calibration.count, facts.ranges.x.high]).toEqual([3, 97]);
});
