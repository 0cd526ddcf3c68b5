import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import type { Tensor } from '../../servers/protocol/index.js';
import { createRuntime, type Runtime, type RuntimeTensor } from '../../servers/runtimes/index.js';
import type { OnnxModel } from './model.js';
import { cloneModel } from './model.js';
import { ValueInfoProtoSchema } from './proto/onnx_pb.js';
import { writeModel } from './write.js';

/** A folder of its own while `use` runs. */
export async function inTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'servemark-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The model loaded in ONNX Runtime while `use` runs, as its nodes stand (no optimisation), with `watched` values as
 * outputs behind its own. It blocks this thread while it computes. Throws UserError where the runtime refuses the model.
 */
export async function withSession<T>(
  model: OnnxModel,
  watched: readonly string[],
  use: (runtime: Runtime) => Promise<T>,
  runtimeOptions: Readonly<Record<string, unknown>> = {},
): Promise<T> {
  const open = cloneModel(model);
  const already = new Set(open.graph.output.map(({ name }) => name));
  // Without a type: the runtime infers it.
  for (const name of watched) if (!already.has(name)) open.graph.output.push(create(ValueInfoProtoSchema, { name }));
  return inTemporaryFolder(async (folder) => {
    const path = join(folder, 'model.onnx');
    writeModel(open, path);
    const runtime = await createRuntime('onnx', path, {
      graphOptimizationLevel: 'disabled',
      logSeverity: 'fatal',
      ...runtimeOptions,
    });
    try {
      return await use(runtime);
    } finally {
      await runtime.close();
    }
  });
}

/** Samples of one row each, joined along the batch dimension. */
export function joinSamples(samples: readonly (readonly Tensor[])[]): RuntimeTensor[] {
  return samples[0]!.map((first, input) => {
    const parts = samples.map((sample) => sample[input]!.data);
    const bytes = Buffer.concat(parts);
    const rows = samples.reduce((sum, sample) => sum + (sample[input]!.shape[0] ?? 1), 0);
    return {
      name: first.name,
      datatype: first.datatype,
      shape: first.shape.length === 0 ? [] : [rows, ...first.shape.slice(1)],
      buffer: new Uint8Array(bytes).buffer,
    };
  });
}
