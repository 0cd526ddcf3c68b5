import { z } from 'zod';
import { byteCount, ELEMENT_BYTES, elementCount } from '../protocol/tensors.js';
import { DATATYPES, type TensorMetadata } from '../protocol/types.js';
import type { RuntimeMetadata, RuntimeTensor } from './contract.js';

const tensor = z.strictObject({
  name: z.string().min(1),
  datatype: z.enum(DATATYPES).default('FP32'),
  shape: z.array(z.number().int().min(-1)).min(1),
});

/** The interface of a runtime without a model: by default one input `x` FP32 [-1,4] and one output `y` FP32 [-1,1]. */
export const interfaceShape = {
  inputs: z
    .array(tensor)
    .min(1)
    .default([{ name: 'x', datatype: 'FP32', shape: [-1, 4] }]),
  outputs: z
    .array(tensor)
    .min(1)
    .default([{ name: 'y', datatype: 'FP32', shape: [-1, 1] }]),
};

/** Metadata of a runtime without a model. */
export function echoMetadata(
  backend: string,
  options: { readonly inputs: readonly TensorMetadata[]; readonly outputs: readonly TensorMetadata[] },
): RuntimeMetadata {
  return { platform: backend, backend, inputs: options.inputs, outputs: options.outputs, providers: ['none'] };
}

/**
 * Outputs that show which rows came in: where an output has the first input's datatype, its row r starts with the values
 * of the input's row r and ends with zeros; else it is all zeros (BYTES: empty texts). Dimensions that are −1 are `rows`
 * in the first place and 1 elsewhere.
 */
export function echoOutputs(
  specs: readonly TensorMetadata[],
  inputs: readonly RuntimeTensor[],
  rows: number,
  wanted?: readonly string[],
): RuntimeTensor[] {
  const chosen = wanted === undefined ? specs : specs.filter((spec) => wanted.includes(spec.name));
  return chosen.map((spec, i) => echo(spec, inputs[0], rows, i === 0));
}

/** Where the input is all of the output and `mayTake` it, its buffer is handed on: inputs are the runtime's own. */
function echo(spec: TensorMetadata, input: RuntimeTensor | undefined, rows: number, mayTake: boolean): RuntimeTensor {
  const shape = spec.shape.map((dim, i) => (dim >= 0 ? dim : i === 0 ? rows : 1));
  const bytes = byteCount(spec.datatype, shape) ?? 4 * elementCount(shape);
  if (mayTake && input?.datatype === spec.datatype && input.buffer.byteLength === bytes && input.shape[0] === shape[0])
    return { name: spec.name, datatype: spec.datatype, shape, buffer: input.buffer };
  const buffer = new ArrayBuffer(bytes);
  if (input?.datatype === spec.datatype && ELEMENT_BYTES[spec.datatype] > 0)
    copyRows(input, new Uint8Array(buffer), shape[0]!);
  return { name: spec.name, datatype: spec.datatype, shape, buffer };
}

function copyRows(input: RuntimeTensor, to: Uint8Array, rows: number): void {
  const from = new Uint8Array(input.buffer);
  const sourceRows = Math.min(rows, input.shape[0] ?? 1);
  if (sourceRows === 0) return;
  const fromRow = from.length / (input.shape[0] ?? 1);
  const toRow = to.length / rows;
  const length = Math.min(fromRow, toRow);
  for (let row = 0; row < sourceRows; row++) to.set(from.subarray(row * fromRow, row * fromRow + length), row * toRow);
}
