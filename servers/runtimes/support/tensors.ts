import { ELEMENT_BYTES } from '../../protocol/tensors.js';
import type { RuntimeTensor } from '../contract.js';

/** Evenly, the first ones larger by one; never more parts than rows. */
export function evenly(rows: number, parts: number): number[] {
  const count = Math.max(1, Math.min(parts, rows));
  const larger = rows % count;
  return Array.from({ length: count }, (_, i) => Math.floor(rows / count) + (i < larger ? 1 : 0));
}

/** Tensors `[Σ sizes, …dims]` as one list a part, `[size, …dims]`, each in buffers of its own. */
export function splitRows(tensors: readonly RuntimeTensor[], sizes: readonly number[]): RuntimeTensor[][] {
  if (sizes.length === 1) return [[...tensors]];
  const parts: RuntimeTensor[][] = sizes.map(() => []);
  for (const tensor of tensors) {
    const rowBytes = tensor.buffer.byteLength / tensor.shape[0]!;
    let row = 0;
    for (const [i, size] of sizes.entries()) {
      const buffer = tensor.buffer.slice(row * rowBytes, (row + size) * rowBytes);
      parts[i]!.push({ ...tensor, shape: [size, ...tensor.shape.slice(1)], buffer });
      row += size;
    }
  }
  return parts;
}

/** Parts `[nᵢ, …dims]` as one `[Σ nᵢ, …dims]`. */
export function joinRows(parts: readonly RuntimeTensor[]): RuntimeTensor {
  const [first] = parts as [RuntimeTensor];
  if (parts.length === 1) return first;
  const joined = new Uint8Array(parts.reduce((sum, { buffer }) => sum + buffer.byteLength, 0));
  let at = 0;
  for (const { buffer } of parts) {
    joined.set(new Uint8Array(buffer), at);
    at += buffer.byteLength;
  }
  const rows = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
  return { ...first, shape: [rows, ...first.shape.slice(1)], buffer: joined.buffer };
}

/** Adds FP32 parts of one shape, in order, into the first one's buffer. */
export function sumParts(parts: readonly RuntimeTensor[]): RuntimeTensor {
  const [first, ...others] = parts as [RuntimeTensor, ...RuntimeTensor[]];
  const sum = new Float32Array(first.buffer);
  for (const { buffer } of others) {
    const values = new Float32Array(buffer);
    for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
  }
  return first;
}

/** Parts `[…dims, nᵢ]` as one `[…dims, Σ nᵢ]`. */
export function joinLast(parts: readonly RuntimeTensor[]): RuntimeTensor {
  const [first] = parts as [RuntimeTensor];
  const elementBytes = ELEMENT_BYTES[first.datatype];
  const widths = parts.map(({ shape }) => shape.at(-1)!);
  const width = widths.reduce((a, b) => a + b, 0);
  const outer = first.shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const joined = new Uint8Array(outer * width * elementBytes);
  let column = 0;
  for (const [i, { buffer }] of parts.entries()) {
    const own = widths[i]! * elementBytes;
    const from = new Uint8Array(buffer);
    for (let row = 0; row < outer; row++)
      joined.set(from.subarray(row * own, (row + 1) * own), row * width * elementBytes + column);
    column += own;
  }
  return { ...first, shape: [...first.shape.slice(0, -1), width], buffer: joined.buffer };
}

/** An axis made longer, with zeros behind, or shorter, cut behind; the tensor itself where it has that size. */
export function resizeAxis(tensor: RuntimeTensor, axis: number, size: number): RuntimeTensor {
  const { shape, buffer } = tensor;
  if (shape[axis] === size) return tensor;
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, ELEMENT_BYTES[tensor.datatype]);
  const [from, to] = [shape[axis]! * inner, size * inner];
  const bytes = new Uint8Array(buffer);
  const resized = new Uint8Array(outer * to);
  for (let i = 0; i < outer; i++) resized.set(bytes.subarray(i * from, i * from + Math.min(from, to)), i * to);
  return { ...tensor, shape: shape.map((dim, i) => (i === axis ? size : dim)), buffer: resized.buffer };
}
