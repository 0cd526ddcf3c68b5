import type { TensorMetadata } from '../protocol/index.js';
import { byteCount, elementCount } from '../protocol/tensors.js';
import type { RuntimeTensor } from '../runtimes/index.js';

/**
 * Inputs of zeros (BYTES: empty texts). Dimensions that are −1 are `rows` in the first place and elsewhere what `dims`
 * says of that input, or 1.
 */
export function zeroInputs(
  specs: readonly TensorMetadata[],
  rows: number,
  dims: Readonly<Record<string, readonly number[]>> = {},
): RuntimeTensor[] {
  return specs.map(({ name, datatype, shape }) => {
    const given = dims[name];
    const concrete = shape.map((dim, i) => (dim >= 0 ? dim : i === 0 ? rows : (given?.[i] ?? 1)));
    const bytes = byteCount(datatype, concrete) ?? 4 * elementCount(concrete);
    return { name, datatype, shape: concrete, buffer: new ArrayBuffer(bytes) };
  });
}
