import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RecipeTrail } from '../../optimizers/recipes/index.js';
import { readJson, workFolder } from './folders.js';
import { within } from './within.js';

const folder = workFolder('recipe');
const ours = (name: string) => join(folder, name);
const trailOf = (stem: string) => (readJson(folder, `${stem}.provenance.json`) as { recipe: RecipeTrail }).recipe;

describe('servemark optimize --recipe', () => {
  test('judges pass by pass: what breaks the gate or can do nothing is left out, the others add up', async () => {
    // Zeroing nearly all weights without training breaks any gate; int8 on top of int8 is refused.
    const recipe = 'prune-unstructured:sparsity=0.99,fp16,quantize-dynamic';
    const args = ['optimize', 'fashion-mlp', '--recipe', recipe, '-o', ours('kept.onnx')];
    const { code, stdout, stderr } = await within([...args, '--check', '1000', '--rounds', '20']);
    expect(code, stderr).toBe(0);
    const { rows, gate, judgedOn } = trailOf('kept');
    expect(rows.map(({ outcome }) => outcome).slice(0, 3)).toEqual(['reference', 'broke', 'kept']);
    expect(gate).toBe(0.99);
    expect(judgedOn.name).toMatch(/^fashion-mnist( \(part 2: 5000 samples\))?$/);
    const [reference, broke, half] = rows;
    expect(broke!.accuracy!.ofReference).toBeLessThan(0.99);
    expect(half!.accuracy!.ofReference).toBeGreaterThan(0.995);
    expect(half!.latency!.bytes / reference!.latency!.bytes).toBeCloseTo(0.5, 1);
    expect(reference!.accuracy!.interval!.low).toBeLessThan(reference!.accuracy!.value);
    expect(reference!.latency!.speedUp).toBe(1);
    expect(stdout).toMatch(/passes +outcome +bytes/);
    expect(readFileSync(ours('kept.md'), 'utf8')).toContain('| + prune-unstructured:sparsity=0.99 | broke |');
    const provenance = readJson(folder, 'kept.provenance.json') as { passes: { name: string }[] };
    expect(provenance.passes.map(({ name }) => name)).not.toContain('prune-unstructured');
  }, 120_000);

  test('a file says the same, ends at the first break if it says so, and writes nothing where nothing is kept', async () => {
    const file = ours('ends.yaml');
    writeFileSync(
      file,
      'gate: 99.9%\nonBreak: end\npasses:\n  - { name: prune-unstructured, sparsity: 0.99 }\n  - fp16\n',
    );
    const args = ['optimize', 'fashion-mlp', '--recipe', file, '-o', ours('none.onnx')];
    const { code, stdout } = await within([...args, '--check', '500', '--rounds', '10']);
    expect(stdout).toContain('top-1 ≥ 99.90 %');
    expect(stdout).not.toContain('+ fp16');
    expect({ code, wrote: existsSync(ours('none.onnx')) }).toEqual({ code: 1, wrote: false });
  }, 60_000);

  test('a gate beside --pass judges it as well', async () => {
    const args = ['--pass', 'prune-unstructured:sparsity=0.99', '--gate', '99%', '-o', ours('ungated.onnx')];
    const { code, stdout } = await within(['optimize', 'fashion-mlp', ...args, '--check', '500', '--rounds', '10']);
    expect(stdout).toMatch(/prune-unstructured:sparsity=0.99 +broke/);
    expect({ code, wrote: existsSync(ours('ungated.onnx')) }).toEqual({ code: 1, wrote: false });
  }, 60_000);

  test.each([
    ['nothing to do', [], /nothing to do/],
    ['two ways at once', ['--pass', 'fp16', '--search'], /--pass beside --recipe or --search/],
    ['an unknown pass', ['--recipe', 'fp16,quantise'], /there is no pass "quantise"/],
    ['a gate beyond the reference', ['--recipe', 'fp16', '--gate', '101%'], /--gate: "101%"\. Allowed: at most 100%/],
    ['top-1 without labels', ['--recipe', 'fp16', '--samples', 'random', '--metric', 'top-1'], /have no labels/],
    ['a recipe that is not there', ['--recipe', ours('absent.yaml')], /there is no such file/],
    [
      'a training library that is not there',
      ['--recipe', 'fp16', '--train-samples', 'fashion-mnist-train:directory=/nowhere'],
      /nowhere.*can't be read/s,
    ],
  ])(
    'refuses %s',
    async (_what, args, message) => {
      const { code, stderr } = await within(['optimize', 'fashion-mlp', ...args, '-o', ours('never.onnx')]);
      expect(stderr).toMatch(message);
      expect({ code, wrote: existsSync(ours('never.onnx')) }).toEqual({ code: 2, wrote: false });
    },
    60_000,
  );
});

describe('servemark optimize --search', () => {
  test('ends with the fastest combination that keeps the gate on samples that the choice had not seen', async () => {
    const args = [
      'optimize',
      'fashion-mlp',
      '--search',
      '--recipe',
      'prune-unstructured:sparsity=0.99,quantize-dynamic,fp16',
    ];
    const { code, stderr } = await within([
      ...args,
      '-o',
      ours('found.onnx'),
      '--check',
      '1000',
      '--rounds',
      '60',
      '--depth',
      '2',
    ]);
    expect(code, stderr).toBe(0);
    const { rows, kind, notes } = trailOf('found');
    expect(kind).toBe('search');
    const chosen = rows.find(({ outcome }) => outcome === 'chosen')!;
    expect(chosen.passes).toContain('quantize-dynamic');
    expect(chosen.latency!.speedUp).toBeGreaterThan(1);
    // What broke the gate is in the table and nothing stands on it.
    const broken = rows.filter(({ outcome }) => outcome === 'broke').map(({ passes }) => passes.join());
    expect(broken).toContain('prune-unstructured:sparsity=0.99');
    expect(rows.some(({ passes }) => passes.length > 1 && passes[0]!.startsWith('prune-unstructured'))).toBe(false);
    expect(notes.join()).toMatch(/judged on fashion-mnist.* \(part 2: \d+ samples\), which the choice had not seen/);
  }, 120_000);
});
