import { maxBatch } from '../models/batch.js';
import { ProtocolError } from '../protocol/errors.js';
import type { InferRequest, Tensor, TensorMetadata } from '../protocol/index.js';
import { ELEMENT_BYTES, elementCount, invalid, showShape } from '../protocol/tensors.js';
import type { RuntimeMetadata, RuntimeTensor } from '../runtimes/index.js';

/** Joins requests into batches and takes batches apart again, for one model. */
export class Batching {
  /** False: a request is one unit and never shares an execution. */
  readonly batches: boolean;
  /** Into how many stages the model is cut. */
  readonly stages: number;
  readonly #inputs: readonly TensorMetadata[];
  readonly #outputs: readonly TensorMetadata[];
  /** Some input has a dynamic dimension besides the first: requests may differ in shape. */
  readonly #shapesVary: boolean;

  constructor(metadata: RuntimeMetadata) {
    this.batches = maxBatch(metadata) === Number.POSITIVE_INFINITY;
    this.stages = metadata.stages ?? 1;
    this.#inputs = metadata.inputs;
    this.#outputs = metadata.outputs;
    this.#shapesVary = metadata.inputs.some((input) => input.shape.slice(1).includes(-1));
  }

  /** Equal for requests that can be joined; undefined where all can. */
  shapeKeyOf(request: InferRequest): string | undefined {
    if (!this.batches || !this.#shapesVary) return undefined;
    return this.#inputs.map((spec) => inputNamed(request, spec.name).shape.slice(1).join(',')).join(';');
  }

  /**
   * Join requests along the batch dimension. Shapes: input `x` of request i is `[nᵢ, …dims]`, the batch `[Σnᵢ, …dims]`, rows
   * in request order; rows up to `rows` beyond them are zeros (BYTES: empty texts). Names, datatypes and dims are the same
   * by validation and shape key. Copies once, into buffers that can be transferred. Source: Triton dynamic batcher.
   */
  join(requests: readonly InferRequest[], rows: number): RuntimeTensor[] {
    return this.#inputs.map((spec) => {
      const tensors = requests.map((request) => inputNamed(request, spec.name));
      const { datatype, shape: first } = tensors[0]!;
      const shape = this.batches ? [rows, ...first.slice(1)] : first;
      const padded = this.batches ? padding(tensors, datatype, shape) : 0;
      return { name: spec.name, datatype, shape, buffer: concatenate(tensors, padded) };
    });
  }

  /**
   * Take outputs apart: element i holds the tensors of request i, as views of the batch's buffers, those that it asked for
   * in metadata's order. Throws INTERNAL where an output does not have the batch's rows.
   */
  split(
    outputs: readonly RuntimeTensor[],
    requests: readonly InferRequest[],
    rowsEach: readonly number[],
    rows: number,
  ): Tensor[][] {
    const each: Tensor[][] = requests.map(() => []);
    for (const output of outputs) {
      if (!this.batches) {
        if (wants(requests[0]!, output.name))
          each[0]!.push({ ...tensorOf(output), data: new Uint8Array(output.buffer) });
        continue;
      }
      if (output.shape[0] !== rows)
        throw new ProtocolError(
          'INTERNAL',
          `output "${output.name}" has shape ${showShape(output.shape)}, expected ${rows} rows`,
        );
      splitOutput(output, requests, rowsEach, each);
    }
    return each;
  }

  /** Outputs to compute for these requests; undefined: all. */
  outputsFor(requests: readonly InferRequest[]): readonly string[] | undefined {
    if (requests.some((request) => !request.outputs || request.outputs.length === 0)) return undefined;
    const wanted = this.#outputs.filter(({ name }) => requests.some((request) => wants(request, name)));
    return wanted.length === this.#outputs.length ? undefined : wanted.map((output) => output.name);
  }

  /** All zeros (BYTES: empty texts) in the shape of an answer. Source: Clipper's default output. */
  defaultOutputs(request: InferRequest, rows: number): Tensor[] {
    return this.#outputs
      .filter(({ name }) => wants(request, name))
      .map(({ name, datatype, shape }) => {
        const concrete = shape.map((dim, i) => (dim >= 0 ? dim : i === 0 ? rows : 1));
        return {
          name,
          datatype,
          shape: concrete,
          data: new Uint8Array(elementCount(concrete) * (ELEMENT_BYTES[datatype] || 4)),
        };
      });
  }
}

function inputNamed(request: InferRequest, name: string): Tensor {
  const only = request.inputs[0]!;
  if (only.name === name) return only;
  const found = request.inputs.find((input) => input.name === name);
  if (found === undefined) throw invalid(`input "${name}" is missing`);
  return found;
}

function wants(request: InferRequest, output: string): boolean {
  const { outputs } = request;
  return !outputs || outputs.length === 0 || outputs.some(({ name }) => name === output);
}

function tensorOf({ name, datatype, shape }: RuntimeTensor): Omit<Tensor, 'data'> {
  return { name, datatype, shape };
}

/** Bytes of the rows that no request fills. */
function padding(tensors: readonly Tensor[], datatype: Tensor['datatype'], shape: readonly number[]): number {
  const given = tensors.reduce((sum, tensor) => sum + tensor.shape[0]!, 0);
  const missing = shape[0]! - given;
  return missing > 0 ? missing * elementCount(shape.slice(1)) * (ELEMENT_BYTES[datatype] || 4) : 0;
}

function concatenate(tensors: readonly Tensor[], padded: number): ArrayBuffer {
  let length = padded;
  for (const { data } of tensors) length += data.length;
  // Not zeroed first: every byte is written below. One of its own, so that it can be transferred.
  const joined = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const { data } of tensors) {
    joined.set(data, at);
    at += data.length;
  }
  if (padded > 0) joined.fill(0, at);
  return joined.buffer;
}

function splitOutput(
  output: RuntimeTensor,
  requests: readonly InferRequest[],
  rowsEach: readonly number[],
  each: Tensor[][],
): void {
  const bytes = new Uint8Array(output.buffer);
  const dims = output.shape.slice(1);
  const endOf =
    output.datatype === 'BYTES' ? bytesCursor(bytes, elementCount(dims)) : fixedCursor(bytes.length / output.shape[0]!);
  let from = 0;
  for (let i = 0; i < requests.length; i++) {
    const rows = rowsEach[i]!;
    const to = endOf(from, rows);
    if (wants(requests[i]!, output.name))
      each[i]!.push({
        name: output.name,
        datatype: output.datatype,
        shape: [rows, ...dims],
        data: bytes.subarray(from, to),
      });
    from = to;
  }
}

type Cursor = (from: number, rows: number) => number;

function fixedCursor(rowBytes: number): Cursor {
  return (from, rows) => from + rows * rowBytes;
}

/** BYTES elements carry their own length: walk them. */
function bytesCursor(bytes: Uint8Array, elementsPerRow: number): Cursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (from, rows) => {
    let at = from;
    for (let left = rows * elementsPerRow; left > 0; left--) at += 4 + view.getUint32(at, true);
    return at;
  };
}
