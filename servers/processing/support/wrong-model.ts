import { UserError } from '../../../results/errors.js';
import type { TensorMetadata } from '../../protocol/index.js';
import { showShape } from '../../protocol/tensors.js';
import type { ProcessorContext } from '../contract.js';

/** A processor and a model that do not go together. */
export function wrongModel(
  { place }: ProcessorContext,
  role: 'inputs' | 'outputs',
  found: readonly TensorMetadata[],
  allowed: string,
): UserError {
  const tensors = found.map(({ name, datatype, shape }) => `${name} ${datatype} ${showShape(shape)}`).join(', ');
  return new UserError({ place, found: `the model has the ${role} ${tensors || 'none'}`, allowed });
}

/** The output of that name, or the first one; of FP32 and that rank. Throws UserError. */
export function outputOf(context: ProcessorContext, name: string | undefined, rank: number): TensorMetadata {
  const { outputs } = context.model;
  const output = name === undefined ? outputs[0] : outputs.find((each) => each.name === name);
  if (output?.datatype === 'FP32' && output.shape.length === rank) return output;
  throw wrongModel(context, 'outputs', outputs, `${name ?? 'the first one'} FP32 of ${rank} dimensions`);
}

/** The model's only input of FP32 and that rank. Throws UserError. */
export function inputOf(context: ProcessorContext, rank: number): TensorMetadata {
  const { inputs } = context.model;
  if (inputs.length === 1 && inputs[0]!.datatype === 'FP32' && inputs[0]!.shape.length === rank) return inputs[0]!;
  throw wrongModel(context, 'inputs', inputs, `one input FP32 of ${rank} dimensions`);
}

/** H of [N,3,H,W]. Throws UserError where it is open. */
export function fixedHeight(input: TensorMetadata, context: ProcessorContext): number {
  if (input.shape[2]! > 0) return input.shape[2]!;
  throw wrongModel(context, 'inputs', [input], 'one of a fixed height [N,3,H,W], or the option height');
}
