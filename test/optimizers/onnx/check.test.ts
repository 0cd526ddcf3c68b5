import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addConstants, node, valueInfo } from '../../../optimizers/onnx/build.js';
import { checkModel, type OnnxModel, readModel, writeModel } from '../../../optimizers/onnx/index.js';
import { emptyModel, initializer } from '../../../optimizers/onnx/model.js';
import { floats } from '../../../optimizers/onnx/values.js';
import { workFolder } from '../../e2e/folders.js';
import { FASHION_MLP } from '../../fixtures/onnx-models.js';

const folder = workFolder('check');

/** x → Relu → a → Relu → y. */
function chain(): OnnxModel {
  const model = emptyModel('chain', 17);
  model.graph.input.push(valueInfo('x', ['N', 2]));
  model.graph.node.push(node('Relu', ['x'], ['a']), node('Relu', ['a'], ['y']));
  model.graph.output.push(valueInfo('y', ['N', 2]));
  return model;
}

/** The first problem of a chain that was changed. */
function problemOf(change: (model: OnnxModel) => void): string {
  const model = chain();
  change(model);
  const [first] = checkModel(model, 'chain');
  return first ? `${first.place}: ${first.found}` : 'none';
}

describe('the checker names the node and the reason', () => {
  test.each<[what: string, change: (model: OnnxModel) => void, message: RegExp]>([
    ['nothing wrong', () => {}, /^none$/],
    [
      'an input of nowhere',
      ({ graph }) => graph.node[0]!.input.splice(0, 1, 'z'),
      /"a\/Relu" \(Relu\): its input "z" is made by no node/,
    ],
    ['a later maker', ({ graph }) => graph.node.reverse(), /"y\/Relu" \(Relu\): its input "a" is made by a later node/],
    [
      'a cycle',
      ({ graph }) => graph.node[0]!.input.splice(0, 1, 'y'),
      /"a\/Relu" \(Relu\): it stands in a cycle, or behind one, through "y"/,
    ],
    ['a second maker', ({ graph }) => graph.node.push(node('Relu', ['x'], ['a'])), /its output "a" is made twice/],
    ['a missing output', ({ graph }) => graph.output.push(valueInfo('q', [1])), /output "q" is made by no node/],
    [
      'a strange domain',
      ({ graph }) => graph.node.push(node('Gelu', ['x'], ['g'], {}, 'com.example')),
      /domain "com.example" is not among/,
    ],
    [
      'an unknown type',
      (model) => {
        const constant = initializer('w', [1], Float32Array.of(1));
        constant.header.dataType = 99;
        addConstants(model, constant);
      },
      /initializer "w": its data type 99 is none of ONNX's/,
    ],
    [
      'too few bytes',
      (model) => {
        const { header } = initializer('w', [2], Float32Array.of(1, 2));
        addConstants(model, { header, payload: { kind: 'memory', bytes: new Uint8Array(4) } });
      },
      /initializer "w": it has 4 bytes of data/,
    ],
  ])('%s', (_what, change, message) => {
    expect(problemOf(change)).toMatch(message);
  });
});

describe('files that are no whole models', () => {
  const write = (name: string, bytes: Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
  const whole = rawBytesOf(FASHION_MLP);

  test.each<[what: string, path: () => string, message: RegExp]>([
    [
      'a text',
      () => write('text.onnx', Buffer.from('hello, I am not a model')),
      /text\.onnx: .*(no ONNX model|no field)/,
    ],
    ['an empty file', () => write('empty.onnx', new Uint8Array()), /empty\.onnx: the file is empty/],
    ['one cut short', () => write('cut.onnx', whole.subarray(0, 100_000)), /cut\.onnx: .*was cut short/],
    ['a folder', () => folder, /it is no file|can't be opened/],
    ['a message without a graph', () => write('head.onnx', Uint8Array.of(8, 10)), /it holds no graph/],
  ])('%s is refused with the reason', (_what, path, message) => {
    expect(() => readModel(path())).toThrow(message);
  });
});

describe('external data', () => {
  test('is read from beside the model, and from nowhere else', () => {
    const model = chain();
    addConstants(model, initializer('w', [512], new Float32Array(512).fill(2)));
    const path = join(folder, 'external.onnx');
    writeModel(model, path, { external: 'all' });
    expect(floats(readModel(path).initializers.get('w')!)[511]).toBe(2);
    const text = rawBytesOf(path).toString('latin1');
    // The same length, so that the message around it stays whole.
    const outside = text.replace('external.onnx.data', '../ternal.onnx.data');
    writeFileSync(path, Buffer.from(outside, 'latin1'));
    expect(() => readModel(path)).toThrow(/initializer "w"|no ONNX model|no field|cut short/);
  });

  test('that is missing or too short is named', () => {
    const model = chain();
    addConstants(model, initializer('w', [512], new Float32Array(512)));
    const path = join(folder, 'short.onnx');
    writeModel(model, path, { external: 'all' });
    writeFileSync(`${path}.data`, new Uint8Array(100));
    expect(() => readModel(path)).toThrow(
      /initializer "w": its data is said to be bytes 0 to \+2048 of "short.onnx.data", which has 100/,
    );
  });
});

/** 1,200 MB on demand: SERVEMARK_LARGE=1. */
const MEGABYTES = process.env.SERVEMARK_LARGE === '1' ? 1200 : 300;

test(`a model of ${MEGABYTES} MB is read and written in less than 160 MB of memory`, () => {
  const path = join(folder, 'big.onnx');
  const script = `
    import { addConstants, node, valueInfo } from './dist/optimizers/onnx/build.js';
    import { emptyModel, initializer } from './dist/optimizers/onnx/model.js';
    import { readModel } from './dist/optimizers/onnx/read.js';
    import { writeModel } from './dist/optimizers/onnx/write.js';
    const [path, megabytes] = [process.argv[1], Number(process.argv[2])];
    const model = emptyModel('big', 17);
    model.graph.input.push(valueInfo('x', ['N', 2]));
    model.graph.output.push(valueInfo('y', ['N', 2]));
    model.graph.node.push(node('Relu', ['x'], ['y']));
    const tensor = new Float32Array(2_500_000).fill(1);
    for (let i = 0; i < megabytes / 10; i++) addConstants(model, initializer('w' + i, [2_500_000], tensor));
    writeModel(model, path);
    const [file] = writeModel(readModel(path), path + '.copy');
    console.log(JSON.stringify({ bytes: file.bytes, peak: process.resourceUsage().maxRSS * 1024 }));
  `;
  const args = ['--input-type=module', '-e', script, path, String(MEGABYTES)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  const { bytes, peak } = JSON.parse(stdout) as { bytes: number; peak: number };
  // Above 1 GB the weights lie in a data file; the model itself is small.
  expect(bytes).toBeGreaterThan(MEGABYTES > 1000 ? 1000 : 300e6);
  expect(peak).toBeLessThan(160e6);
}, 120_000);

function rawBytesOf(path: string): Buffer {
  return readFileSync(path);
}
