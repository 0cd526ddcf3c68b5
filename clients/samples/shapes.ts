import { UserError } from '../../results/errors.js';
import type { ModelMetadata, TensorMetadata } from '../../servers/protocol/index.js';
import { showShape } from '../../servers/protocol/index.js';

/**
 * The shape of one sample of an input: the batch dimension (the first, where dynamic) is 1, other dynamic dimensions are 1
 * or what `dims` says (with or without the first dimension). Throws UserError where `dims` contradicts the model.
 */
export function sampleShape(input: TensorMetadata, dims: readonly number[] | undefined): number[] {
  const { shape } = input;
  if (!dims) return shape.map((dim) => (dim === -1 ? 1 : dim));
  const whole = dims.length === shape.length - 1 && shape[0] === -1 ? [1, ...dims] : [...dims];
  const fits =
    whole.length === shape.length &&
    whole.every((dim, axis) => Number.isInteger(dim) && dim >= 0 && (shape[axis] === -1 || shape[axis] === dim)) &&
    (shape[0] !== -1 || whole[0] === 1);
  if (fits) return whole;
  throw new UserError({
    place: `samples.dims.${input.name}`,
    found: `is ${showShape(dims)}`,
    allowed: `dimensions that fit the model's ${showShape(shape)}, where −1 is any size and the first one, if dynamic, is left to the batch`,
  });
}

/** The model's only input, BYTES [N]: what a model takes whose processors decode. Throws UserError. */
export function bytesInput({ name, inputs }: ModelMetadata, library: string): TensorMetadata {
  const [input] = inputs;
  if (input && inputs.length === 1 && input.datatype === 'BYTES' && input.shape.length === 1) return input;
  const found = inputs.map((each) => `${each.name} ${each.datatype} ${showShape(each.shape)}`).join(', ');
  throw new UserError({
    place: `samples ${library}`,
    found: `model "${name}" takes ${found || 'no input'}`,
    allowed: 'one input BYTES [N]',
    remedy: 'Use a model of the zoo that takes them (processing: server or client), or the samples "random"',
  });
}
