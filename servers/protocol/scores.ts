import { fromBf16, fromFp16 } from './half.js';
import type { Tensor } from './types.js';

/** The class that an output names: an integer by itself, else the index of the largest score (the first of equals). */
export function classOf(output: Tensor): number | undefined {
  const values = numbersOf(output);
  if (!values || values.length === 0) return undefined;
  if (values.length === 1 && output.datatype.includes('INT')) return values[0];
  return argmax(values);
}

/** Index of the largest value, the first of equals. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** A tensor's elements as numbers; undefined for datatypes that scores do not have. */
export function numbersOf(tensor: Tensor): Float64Array | undefined {
  const read = READERS[tensor.datatype];
  if (!read) return undefined;
  const view = new DataView(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  const values = new Float64Array(tensor.data.byteLength / read.size);
  for (let i = 0; i < values.length; i++) values[i] = read.get(view, i * read.size);
  return values;
}

const READERS: Readonly<Record<string, { size: number; get(view: DataView, at: number): number } | undefined>> = {
  FP32: { size: 4, get: (view, at) => view.getFloat32(at, true) },
  FP64: { size: 8, get: (view, at) => view.getFloat64(at, true) },
  FP16: { size: 2, get: (view, at) => fromFp16(view.getUint16(at, true)) },
  BF16: { size: 2, get: (view, at) => fromBf16(view.getUint16(at, true)) },
  INT8: { size: 1, get: (view, at) => view.getInt8(at) },
  INT32: { size: 4, get: (view, at) => view.getInt32(at, true) },
  INT64: { size: 8, get: (view, at) => Number(view.getBigInt64(at, true)) },
  UINT8: { size: 1, get: (view, at) => view.getUint8(at) },
};
