import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeOnnx } from '../fixtures/onnx-file.js';
import { FASHION_MLP } from '../fixtures/onnx-models.js';
import { readJson, workFolder } from './folders.js';
import { within } from './within.js';

const folder = workFolder('optimize');

describe('servemark models inspect', () => {
  test('counts the embedded model’s parameters and FLOPs, which can be done by hand', async () => {
    const { code, stdout } = await within(['models', 'inspect', 'fashion-mlp', '--json']);
    const found = JSON.parse(stdout) as Record<string, unknown>;
    // 784·1024 + 1024 + 1024·1024 + 1024 + 1024·10 + 10 parameters of 4 bytes; twice the weights, and 2 · 1024 for ReLU.
    expect(found).toMatchObject({
      parameters: 1_863_690,
      weightBytes: 7_454_760,
      flopsPerRow: 2 * (784 * 1024 + 1024 * 1024 + 1024 * 10) + 2 * 1024,
      operators: { Gemm: 3, Relu: 2 },
      inputs: ['x FLOAT [N,784]'],
      problems: [],
    });
    expect(found.batching).toMatch(/^much to gain/);
    expect(code).toBe(0);
    const page = await within(['models', 'inspect', FASHION_MLP]);
    expect(page.stdout).toMatch(/parameters +1,863,690\n/);
  });

  test('names what is wrong with a graph and ends with 1', async () => {
    const path = rectifier('broken.onnx', 'nowhere');
    const { code, stdout } = await within(['models', 'inspect', path]);
    expect(stdout).toMatch(/broken .*node 0 \(Relu\): its input "nowhere" is made by no node/);
    expect(code).toBe(1);
  });
});

describe('servemark optimize', () => {
  test('never writes over the model it reads, whatever the path is spelt like', async () => {
    const own = join(folder, 'own.onnx');
    copyFileSync(FASHION_MLP, own);
    const out = join(folder, '..', basename(folder), 'own.onnx');
    const { code, stderr } = await within(['optimize', own, '--pass', 'fp16', '-o', out]);
    expect(stderr).toContain('it is the model itself, which would be overwritten');
    expect(code).toBe(2);
    expect(readFileSync(own).equals(readFileSync(FASHION_MLP))).toBe(true);
  });

  test('writes the variant, its provenance and its card, and says what is left of the answers', async () => {
    const out = join(folder, 'int8.onnx');
    const args = ['optimize', 'fashion-mlp', '--pass', 'quantize-dynamic', '-o', out, '--check', '200'];
    const { code, stdout } = await within(args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/bytes +7\.11 MiB → 1\.79 MiB/);
    const provenance = readJson(folder, 'int8.provenance.json');
    const parent = readJson(FASHION_MLP, '..', 'provenance.json');
    expect(provenance).toMatchObject({
      schema: 1,
      parent: { name: 'fashion-mlp', sha256: parent.sha256, bytes: parent.bytes },
      passes: [{ name: 'quantize-dynamic', options: { form: 'microsoft', reduceRange: false } }],
      samples: null,
      fidelity: { count: 200, samples: 'fashion-mnist' },
    });
    expect(readFileSync(join(folder, 'int8.md'), 'utf8')).toContain('## Passes');
    for (const pass of ['quantize-dynamic', 'quantize-static', 'quantize-weights', 'smooth-quant', 'fp16', 'qat']) {
      const again = await within(['optimize', out, '--pass', pass, '-o', join(folder, 'twice.onnx')]);
      expect([pass, again.stderr, again.code]).toEqual([pass, expect.stringContaining('it is quantised already'), 2]);
      expect(existsSync(join(folder, 'twice.onnx'))).toBe(false);
    }
  }, 60_000);

  test('chains passes, and writes the parts of a split model with their plan', async () => {
    const out = join(folder, 'parts.onnx');
    const passes = ['--pass', 'prune-structured:share=0.5', '--pass', 'split-pipeline:stages=2,balance=flops'];
    const { code, stderr } = await within(['optimize', 'fashion-mlp', ...passes, '-o', out]);
    expect(code, stderr).toBe(0);
    const plan = readJson(folder, 'parts.plan.json') as { files: Record<string, string>; kind: string };
    expect(plan).toMatchObject({
      kind: 'pipeline',
      files: { stage0: 'parts.stage0.onnx', stage1: 'parts.stage1.onnx' },
    });
    for (const file of Object.values(plan.files)) expect(existsSync(join(folder, file))).toBe(true);
  }, 60_000);

  const weightless = () => rectifier('relu.onnx', 'x');
  const dangling = () => rectifier('dangling.onnx', 'nowhere');

  test.each<[what: string, model: () => string, pass: string, message: RegExp]>([
    ['an unknown pass', () => 'fashion-mlp', 'quantise', /there is no pass "quantise"/],
    ['an unknown option', () => 'fashion-mlp', 'fp16:scop=all', /unknown key "scop".*Did you mean "scope"/],
    ['a model without weights', weightless, 'quantize-dynamic', /finds no matrix product with constant weights/],
    ['a net that can’t be trained', weightless, 'qat', /qat trains the net/],
    [
      'calibration without samples',
      () => FASHION_MLP,
      'quantize-static',
      /calibrates on samples: no samples are given/,
    ],
    ['a broken file', () => broken('cut.onnx'), 'fp16', /cut short|no ONNX model/],
    ['a broken graph', dangling, 'prune-structured', /node 0 \(Relu\): its input "nowhere" is made by no node/],
    ['a net without dense layers', weightless, 'low-rank', /finds no dense layer.*Allowed: models that have some/],
    ['more stages than cuts', () => 'fashion-mlp', 'split-pipeline:stages=40,balance=flops', /do for 40 stages/],
  ])('refuses %s with the reason', async (_what, model, pass, message) => {
    const out = join(folder, 'never.onnx');
    const { code, stderr } = await within(['optimize', model(), '--pass', pass, '-o', out]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('    at ');
    expect({ code, wrote: existsSync(out) }).toEqual({ code: 2, wrote: false });
  });
});

/** y = relu(input) of two columns. */
function rectifier(name: string, input: string): string {
  return writeOnnx(join(folder, name), {
    nodes: [{ operator: 'Relu', inputs: [input], outputs: ['y'] }],
    inputs: [{ name: 'x', element: 'float', shape: ['N', 2] }],
    outputs: [{ name: 'y', element: 'float', shape: ['N', 2] }],
  });
}

function broken(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, readFileSync(FASHION_MLP).subarray(0, 50_000));
  return path;
}
