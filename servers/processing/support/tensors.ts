import type { Tensor, TensorMetadata } from '../../protocol/index.js';
import { countBytesElements, invalid, showShape, splitBytes } from '../../protocol/tensors.js';

/** The tensor of that name. Throws INVALID_ARGUMENT where it is missing. */
export function tensorNamed(tensors: readonly Tensor[], name: string): Tensor {
  const found = tensors.find((tensor) => tensor.name === name);
  if (found === undefined) throw invalid(`input "${name}" is missing`);
  return found;
}

/** The elements of a BYTES tensor, one a row. Throws INVALID_ARGUMENT where it is none or its content is not sound. */
export function rowsOfBytes(tensor: Tensor): Uint8Array[] {
  if (tensor.datatype !== 'BYTES' || countBytesElements(tensor.data) === undefined)
    throw invalid(`input "${tensor.name}" is ${tensor.datatype} ${showShape(tensor.shape)}; expected BYTES [N]`);
  return splitBytes(tensor.data);
}

/** FP32 content as numbers; a copy only where the bytes do not lie at a multiple of four. */
export function floats({ data }: Tensor): Float32Array {
  if (data.byteOffset % 4 === 0) return new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  return new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
}

export function tensor(
  name: string,
  datatype: Tensor['datatype'],
  shape: readonly number[],
  values: ArrayBufferView,
): Tensor {
  return { name, datatype, shape, data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

export function metadata(name: string, datatype: Tensor['datatype'], shape: readonly number[]): TensorMetadata {
  return { name, datatype, shape };
}
