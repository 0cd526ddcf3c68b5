import { join } from 'node:path';
import { z } from 'zod';
import { saveOptimized } from '../../servers/runtimes/index.js';
import type { OnnxModel } from '../onnx/model.js';
import { TensorProto_DataType } from '../onnx/proto/onnx_pb.js';
import { readModel } from '../onnx/read.js';
import { inTemporaryFolder } from '../onnx/session.js';
import { inlineStrings, rawBytes } from '../onnx/values.js';
import { writeModel } from '../onnx/write.js';
import { definePass } from './contract.js';
import { finished, prepare } from './support/prepare.js';

const options = z.strictObject({
  /** `basic` folds and removes; `extended` fuses (Gelu, LayerNormalization, Attention); `all` also lays out for this CPU. */
  level: z.enum(['basic', 'extended', 'all']).default('extended'),
});

/** ONNX Runtime's own graph optimisation, done once and saved: what it saves is time to load. Source: ONNX Runtime graph optimizations. */
export const graph = definePass({
  name: 'graph',
  summary: 'ONNX Runtime’s graph optimisation (basic, extended, all), done once and saved',
  options,
  apply: async (original, { level }, context) => {
    const before = countNodes(original);
    const prepared = prepare(original, context);
    const model = await inTemporaryFolder(async (folder) => {
      const [plain, optimized] = [join(folder, 'plain.onnx'), join(folder, 'optimized.onnx')];
      writeModel(prepared.model, plain);
      await saveOptimized(plain, optimized, level);
      return inMemory(readModel(optimized));
    });
    const facts = { level, nodesBefore: before, nodesAfter: countNodes(model) };
    const bound =
      level === 'all' ? ['This graph is made for the CPU that made it; elsewhere it may be slower, or not load'] : [];
    return finished({ model, notes: prepared.notes }, facts, bound);
  },
});

/** The file is about to go: weights move into memory. */
function inMemory(model: OnnxModel): OnnxModel {
  for (const [name, { header, payload }] of model.initializers) {
    if (header.dataType === TensorProto_DataType.STRING)
      model.initializers.set(name, inlineStrings({ header, payload }));
    else model.initializers.set(name, { header, payload: { kind: 'memory', bytes: rawBytes({ header, payload }) } });
  }
  return model;
}

function countNodes(model: OnnxModel): number {
  return model.graph.node.length;
}
