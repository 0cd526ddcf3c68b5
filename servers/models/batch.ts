import { type Problem, UserError } from '../../results/errors.js';
import type { TensorMetadata } from '../protocol/index.js';
import { showShape } from '../protocol/tensors.js';
import type { RuntimeMetadata } from '../runtimes/index.js';

/**
 * How many rows one execution can take: Infinity where the first dimension of every input and output is dynamic; else the
 * first dimension that all inputs share, or 0 where they share none. Where it is not Infinity a request is one unit: its
 * shape is exactly the model's, it counts as one row, and it never shares an execution.
 */
export function maxBatch(metadata: Pick<RuntimeMetadata, 'inputs' | 'outputs'>): number {
  if (fixedTensor(metadata) === undefined) return Number.POSITIVE_INFINITY;
  const firsts = new Set(metadata.inputs.map((input) => input.shape[0] ?? 0));
  const [first] = firsts;
  return firsts.size === 1 && first !== undefined && first > 0 ? first : 0;
}

/** What is wrong with a strategy that puts up to `maxRows` rows into an execution of this model; undefined: nothing. */
export function batchingProblem(
  metadata: Pick<RuntimeMetadata, 'inputs' | 'outputs'>,
  maxRows: number,
  place: string,
): Problem | undefined {
  const fixed = fixedTensor(metadata);
  if (fixed === undefined || maxRows <= 1) return undefined;
  const limit = Number.isFinite(maxRows) ? `batches of up to ${maxRows} rows` : 'batches';
  return {
    place,
    found: `${limit} do not fit ${fixed.role} "${fixed.name}" ${showShape(fixed.shape)}, whose first dimension is fixed`,
    allowed: 'strategies that never batch (serial, instance-group), or a maxBatchSize of 1',
    remedy: 'Export the model with a dynamic batch axis in every input and output',
  };
}

/** Throws UserError where `batchingProblem` finds one. */
export function refuseFixedBatch(metadata: RuntimeMetadata, maxRows: number, place: string): void {
  const problem = batchingProblem(metadata, maxRows, place);
  if (problem !== undefined) throw new UserError(problem);
}

/** The first tensor without a dynamic first dimension. */
function fixedTensor(
  metadata: Pick<RuntimeMetadata, 'inputs' | 'outputs'>,
): (TensorMetadata & { readonly role: string }) | undefined {
  const isFixed = (tensor: TensorMetadata) => tensor.shape[0] !== -1;
  const input = metadata.inputs.find(isFixed);
  if (input !== undefined) return { ...input, role: 'input' };
  const output = metadata.outputs.find(isFixed);
  return output && { ...output, role: 'output' };
}
