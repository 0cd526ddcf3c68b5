import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../results/errors.js';
import type { ProcessorDefinition } from '../../../servers/processing/contract.js';
import { createProcessor } from '../../../servers/processing/create.js';
import { processors } from '../../../servers/processing/index.js';
import type { Tensor, TensorMetadata } from '../../../servers/protocol/index.js';
import { byteCount, joinBytes } from '../../../servers/protocol/index.js';
import { TOKENIZER } from '../../fixtures/tokenizer.js';

const folder = mkdtempSync(join(tmpdir(), 'servemark-processing-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A model, files and a request of two rows (or the rows said) that a processor works on. */
interface Case {
  readonly options?: Readonly<Record<string, unknown>>;
  readonly inputs?: readonly TensorMetadata[];
  readonly outputs?: readonly TensorMetadata[];
  readonly files?: Readonly<Record<string, string>>;
  readonly request: readonly Tensor[];
  readonly rows?: number;
}

const fp32 = (name: string, shape: readonly number[]): TensorMetadata => ({ name, datatype: 'FP32', shape });
const int64 = (name: string): TensorMetadata => ({ name, datatype: 'INT64', shape: [-1, -1] });
const bytes = (name: string, texts: readonly (string | Uint8Array)[]): Tensor => ({
  name,
  datatype: 'BYTES',
  shape: [texts.length],
  data: joinBytes(texts.map((text) => Buffer.from(text))),
});
const numbers = (name: string, shape: readonly number[]): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1);
  return {
    name,
    datatype: 'FP32',
    shape,
    data: new Uint8Array(Float32Array.from({ length: count }, (_, i) => (i % 7) / 7).buffer),
  };
};
const png = await sharp({ create: { width: 40, height: 20, channels: 3, background: '#336699' } })
  .png()
  .toBuffer();
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const CASES: Readonly<Record<string, Case>> = {
  image: { options: { crop: 8 }, inputs: [fp32('x', [-1, 3, 8, 8])], request: [bytes('image', [png, png])] },
  'text-line': { inputs: [fp32('x', [-1, 3, 48, -1])], request: [bytes('image', [png, png])] },
  'text-crops': {
    inputs: [fp32('x', [-1, 3, 48, -1])],
    request: [bytes('image', [png]), numbers('boxes', [1, 1, 5])],
    rows: 1,
  },
  tokenise: {
    inputs: [int64('input_ids'), int64('attention_mask')],
    files: { tokenizer: file('tokenizer.json', JSON.stringify(TOKENIZER)) },
    request: [bytes('text', ['a b', 'c'])],
  },
  'magika-bytes': {
    inputs: [{ name: 'bytes', datatype: 'INT32', shape: [-1, 2048] }],
    request: [bytes('content', ['one', 'two'])],
  },
  classes: { outputs: [fp32('scores', [-1, 7])], request: [numbers('scores', [2, 7])] },
  'text-boxes': { outputs: [fp32('map', [-1, 1, -1, -1])], request: [numbers('map', [2, 1, 8, 8])] },
  ctc: {
    outputs: [fp32('steps', [-1, -1, 4])],
    files: { keys: file('keys.txt', 'a\nb\n') },
    request: [numbers('steps', [2, 5, 4])],
  },
  'unit-vector': { outputs: [fp32('e', [-1, 6])], request: [numbers('e', [2, 6])] },
};

describe.each((processors as readonly ProcessorDefinition[]).map((each) => [each.name, each] as const))(
  '%s',
  (name, definition) => {
    const { options = {}, inputs = [], outputs = [], files = {}, request, rows = 2 } = CASES[name]!;
    const make = (change: { files?: Readonly<Record<string, string>> } = {}) =>
      createProcessor(
        definition.side,
        { name, options },
        { model: { inputs, outputs }, files: change.files ?? files, place: 'model tiny' },
      );

    test('what it makes has the names, types and shapes of its metadata, row for row', async () => {
      const processor = await make();
      const taken = definition.side === 'pre' ? request.map((tensor) => tensor.name) : outputs.map((each) => each.name);
      expect(processor.inputs.map((each) => each.name)).toEqual(taken);
      const made = await processor.run(request);
      expect(made.map(({ name: made }) => made)).toEqual(processor.outputs.map((each) => each.name));
      for (const [i, { datatype, shape, data }] of made.entries()) {
        const expected = processor.outputs[i]!;
        expect(datatype).toBe(expected.datatype);
        expect(shape.map((dim, axis) => (expected.shape[axis] === -1 ? -1 : dim))).toEqual(expected.shape);
        expect(shape[0]).toBe(rows);
        if (datatype !== 'BYTES') expect(data.length).toBe(byteCount(datatype, shape));
      }
    });

    test('the same request gives the same again: nothing is kept', async () => {
      const processor = await make();
      expect(await processor.run(request)).toEqual(await processor.run(request));
    });

    test('an unknown option and a model that does not fit are refused', async () => {
      const context = { model: { inputs, outputs }, files, place: 'model tiny' };
      await expect(createProcessor(definition.side, { name, options: { nonsense: 1 } }, context)).rejects.toThrow(
        UserError,
      );
      const wrong = [{ name: 'w', datatype: 'BOOL' as const, shape: [1, 2, 3, 4, 5] }];
      const other = { ...context, model: { inputs: wrong, outputs: wrong } };
      await expect(createProcessor(definition.side, { name, options }, other)).rejects.toThrow(
        /the model has the (in|out)puts w BOOL/,
      );
    });

    if (definition.needs)
      test('without the files that it needs it says which', async () => {
        await expect(make({ files: {} })).rejects.toThrow(definition.needs![0]);
      });

    if (definition.side === 'pre')
      test('a request without its input is the client’s mistake', async () => {
        const processor = await make();
        await expect(async () => processor.run([])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      });
  },
);
