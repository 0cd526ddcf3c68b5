import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { addConstants, node, valueInfo } from '../../../optimizers/onnx/build.js';
import { readModel, writeModel } from '../../../optimizers/onnx/index.js';
import { emptyModel, initializer } from '../../../optimizers/onnx/model.js';
import { floats, halvesOf, rawBytes } from '../../../optimizers/onnx/values.js';
import { parsePassOptions, passNamed } from '../../../optimizers/passes/index.js';
import { canonicalDouble, FastRandom } from '../../../results/stats/index.js';
import { toFp16 } from '../../../servers/protocol/half.js';
import { rowsLibrary } from '../../fixtures/dense-nets.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark fp16 '));
afterAll(() => rmSync(folder, { recursive: true }));

test('weights are halved alike wherever they lie, across the pieces they are read in', async () => {
  const values = Float32Array.from({ length: 600_000 }, (_, i) => Math.fround(Math.sin(i) * 10 ** ((i % 9) - 4)));
  const inMemory = oneConstant(values);
  writeModel(inMemory, join(folder, 'inside.onnx'));
  writeModel(inMemory, join(folder, 'beside.onnx'), { external: 'all' });
  const found = [];
  for (const model of [inMemory, readModel(join(folder, 'inside.onnx')), readModel(join(folder, 'beside.onnx'))]) {
    const result = await halved(model);
    const half = [...result.initializers.values()][0]!;
    expect(Array.from(floats(half)).every((value, i) => Math.abs(value - values[i]!) <= bound(values[i]!))).toBe(true);
    const written = join(folder, 'written.onnx');
    writeModel(result, written);
    expect(Buffer.compare(rawBytes(readModel(written).initializers.get(half.header.name)!), rawBytes(half))).toBe(0);
    found.push(Buffer.from(rawBytes(half)).toString('base64'));
  }
  expect(found[1]).toBe(found[0]);
  expect(found[2]).toBe(found[0]);
});

test('halves are those of the protocol’s conversion, but for what FP16 cannot hold', () => {
  const edges = [0, -0, 1, -1, 65504, -65504, 65519, 65520, 1e9, Infinity, -Infinity, NaN];
  const small = [2 ** -14, 2 ** -24, 2 ** -25, 2 ** -25 * (1 + 2 ** -20), 3 * 2 ** -25, 5 * 2 ** -25, 2 ** -30, 1e-40];
  const random = new FastRandom(5n);
  const bits = Uint32Array.from({ length: 200_000 }, () => Math.floor(canonicalDouble(random) * 2 ** 32));
  const values = Float32Array.from([
    ...edges,
    ...small,
    ...small.map((each) => -each),
    ...new Float32Array(bits.buffer),
  ]);
  const expected = Uint16Array.from(values, (value) => toFp16(Math.max(-65504, Math.min(65504, value))));
  expect(halvesOf(values)).toEqual(expected);
});

/** Half of the last of 11 bits, or of the smallest step (2⁻²⁴). */
function bound(value: number): number {
  return Math.max(Math.abs(value) * 2 ** -11, 2 ** -25);
}

/** 1,200 MB on demand: SERVEMARK_LARGE=1. */
const MEGABYTES = process.env.SERVEMARK_LARGE === '1' ? 1200 : 300;

test(`a model of ${MEGABYTES} MB is halved in less than 256 MB of memory`, () => {
  const script = `
    import { addConstants, node, valueInfo } from './dist/optimizers/onnx/build.js';
    import { readModel, writeModel } from './dist/optimizers/onnx/index.js';
    import { emptyModel, initializer } from './dist/optimizers/onnx/model.js';
    import { parsePassOptions, passNamed } from './dist/optimizers/passes/index.js';
    const [path, megabytes] = [process.argv[1], Number(process.argv[2])];
    const model = emptyModel('big', 17);
    model.graph.input.push(valueInfo('x', [2_500_000]));
    model.graph.output.push(valueInfo('y', [2_500_000]));
    const tensor = new Float32Array(2_500_000).fill(0.5);
    let last = 'x';
    for (let i = 0; i < megabytes / 10; i++) {
      addConstants(model, initializer('w' + i, [2_500_000], tensor));
      const next = i + 1 < megabytes / 10 ? 'v' + i : 'y';
      model.graph.node.push(node('Add', [last, 'w' + i], [next]));
      last = next;
    }
    writeModel(model, path);
    const pass = passNamed('fp16');
    const { models } = await pass.apply(readModel(path), parsePassOptions(pass, {}), { place: path });
    const files = writeModel(models[0].model, path + '.half');
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    console.log(JSON.stringify({ bytes, peak: process.resourceUsage().maxRSS * 1024 }));
  `;
  const args = ['--input-type=module', '-e', script, join(folder, 'big.onnx'), String(MEGABYTES)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  const { bytes, peak } = JSON.parse(stdout) as { bytes: number; peak: number };
  expect(bytes / (MEGABYTES * 1e6)).toBeCloseTo(0.5, 2);
  expect(peak).toBeLessThan(256e6);
}, 120_000);

function oneConstant(values: Float32Array) {
  const model = emptyModel('one', 17);
  model.graph.input.push(valueInfo('x', [values.length]));
  model.graph.output.push(valueInfo('y', [values.length]));
  addConstants(model, initializer('w', [values.length], values));
  model.graph.node.push(node('Add', ['x', 'w'], ['y']));
  return model;
}

async function halved(model: ReturnType<typeof oneConstant>) {
  const pass = passNamed('fp16');
  const context = { place: 'test', samples: async () => rowsLibrary(1, 1, 1) };
  const { models } = await pass.apply(model, parsePassOptions(pass, {}), context);
  return models[0]!.model;
}
