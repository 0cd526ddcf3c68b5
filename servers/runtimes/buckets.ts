import type { TensorMetadata } from '../protocol/index.js';
import { defineRuntime, type ExecutionPart, type Runtime, type RuntimeTensor } from './contract.js';
import { onnx } from './onnx.js';
import { type BucketStep, type PlanFile, readPlanOf } from './plan.js';
import { openSessions } from './support/sessions.js';
import { resizeAxis } from './support/tensors.js';

/**
 * A model for each of a few sequence lengths: an execution takes the first that is long enough, its inputs padded with zeros
 * behind, its outputs cut back. One session a bucket, all in the instance's own thread. What is executed besides the sequences
 * themselves is counted. Source: TensorFlow's bucketing by sequence length.
 */
export const buckets = defineRuntime({
  name: 'buckets',
  summary: 'A model for each of a few sequence lengths; every execution takes the shortest that holds it',
  options: onnx.options,
  create: async (modelPath, parsed) => {
    const plan = readPlanOf(modelPath, 'buckets', 'buckets');
    const steps = plan.steps.filter((step) => step.kind === 'bucket');
    const sessions = await openSessions(plan, steps, parsed);
    return runtimeOf(plan, steps, sessions);
  },
});

function runtimeOf(plan: PlanFile, steps: readonly BucketStep[], sessions: readonly Runtime[]): Runtime {
  const axes = plan.sequence ?? {};
  const [{ metadata }] = sessions as [Runtime];
  const open = (spec: TensorMetadata): TensorMetadata => ({
    ...spec,
    shape: spec.shape.map((dim, axis) => (axes[spec.name]?.includes(axis) ? -1 : dim)),
  });
  let parts: readonly ExecutionPart[] = [];
  return {
    metadata: {
      ...metadata,
      backend: 'buckets',
      inputs: metadata.inputs.map(open),
      outputs: metadata.outputs.map(open),
    },
    execute: async (inputs, rows, wanted) => {
      const length = Math.max(
        0,
        ...inputs.flatMap(({ name, shape }) => (axes[name] ?? []).map((axis) => shape[axis]!)),
      );
      const which = steps.findIndex((step) => step.length >= length);
      const step = steps[which];
      if (step === undefined)
        throw new Error(`a sequence of ${length} fits no bucket: the longest holds ${steps.at(-1)!.length}`);
      const to = (tensor: RuntimeTensor, size: number) =>
        (axes[tensor.name] ?? []).reduce((current, axis) => resizeAxis(current, axis, size), tensor);
      const padded = inputs.map((tensor) => to(tensor, step.length));
      const outputs = await sessions[which]!.execute(padded, rows, wanted);
      parts = [
        { name: 'sequence', unit: 'count', value: rows * length },
        { name: 'padding', unit: 'count', value: rows * (step.length - length) },
      ];
      return outputs.map((tensor) => to(tensor, length));
    },
    lastParts: () => parts,
    close: async () => {
      for (const session of sessions) await session.close();
    },
  };
}
