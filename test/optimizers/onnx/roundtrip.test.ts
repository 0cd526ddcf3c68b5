import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import type { OnnxModel } from '../../../optimizers/onnx/index.js';
import { checkModel, readModel, writeModel } from '../../../optimizers/onnx/index.js';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
} from '../../../optimizers/onnx/proto/onnx_pb.js';
import { rawBytes } from '../../../optimizers/onnx/values.js';
import type { RuntimeTensor } from '../../../servers/runtimes/index.js';
import { workFolder } from '../../e2e/folders.js';
import { caseTensors, debianCases, FASHION_MLP, outputsFor } from '../../fixtures/onnx-models.js';

const folder = workFolder('roundtrip');

/** A model as comparable text: a digest of every message and of every constant's content. */
function content(model: OnnxModel): string {
  const constants = [...model.initializers.values()].map((constant) => [
    digest(toBinary(TensorProtoSchema, constant.header)),
    constant.header.dataType === TensorProto_DataType.STRING ? '' : digest(rawBytes(constant)),
  ]);
  const [head, graph] = [toBinary(ModelProtoSchema, model.head), toBinary(GraphProtoSchema, model.graph)];
  return JSON.stringify([digest(head), digest(graph), constants]);
}

/** Outputs, or the refusal, as comparable text. */
function bits(outputs: RuntimeTensor[] | Error): string {
  if (outputs instanceof Error) return 'refused';
  return JSON.stringify(outputs.map(({ name, shape, buffer }) => [name, shape, digest(new Uint8Array(buffer))]));
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('read → write → read', () => {
  test('keeps the embedded model to the byte of its weights, with and without a data file', async () => {
    const first = readModel(FASHION_MLP);
    const x = new Float32Array(2 * 784).map((_, i) => (i % 255) / 255);
    const inputs = [{ datatype: 'FP32', shape: [2, 784], buffer: x.buffer } as const];
    const expected = await outputsFor(FASHION_MLP, inputs);
    for (const external of ['none', 'all'] as const) {
      const path = join(folder, `${external}.onnx`);
      writeModel(first, path, { external });
      expect(existsSync(`${path}.data`)).toBe(external === 'all');
      const second = readModel(path);
      expect(content(second)).toBe(content(first));
      expect(bits(await outputsFor(path, inputs))).toBe(bits(expected));
      const kept = join(folder, `kept-${external}.onnx`);
      writeModel(second, kept);
      expect(existsSync(`${kept}.data`)).toBe(external === 'all');
      expect(content(readModel(kept))).toBe(content(first));
    }
  });

  test('is the identity on every model of libonnx-testdata, and ONNX Runtime gives the same bits before and after', async () => {
    const cases = debianCases('read → write → read over ONNX’s test models');
    const path = join(folder, 'case.onnx');
    const counts = { models: cases.length, compared: 0, refusedBoth: 0, notTensors: 0 };
    const wrong: string[] = [];
    for (const { name, model, folder: data } of cases) {
      const first = readModel(model);
      writeModel(first, path);
      const problems = checkModel(first, name);
      if (problems.length > 0) wrong.push(`${name}: ${problems[0]!.place} ${problems[0]!.found}`);
      if (content(readModel(path)) !== content(first)) wrong.push(`${name}: differs after reading again`);
      const inputs = caseTensors(data, 'input');
      if (inputs === undefined) {
        counts.notTensors++;
        continue;
      }
      const [before, after] = [await outputsFor(model, inputs), await outputsFor(path, inputs)];
      if (before instanceof Error && after instanceof Error) counts.refusedBoth++;
      else if (isDeterministic(name) && bits(before) !== bits(after)) wrong.push(`${name}: outputs differ`);
      else counts.compared++;
    }
    console.log(`read → write → read: ${JSON.stringify(counts)}`);
    expect(wrong).toEqual([]);
    if (cases.length > 0) expect(counts.compared).toBeGreaterThan(850);
  }, 300_000);
});

/** Operators that draw random numbers give others each time. */
function isDeterministic(name: string): boolean {
  return !/bernoulli|random|training_dropout/.test(name);
}
