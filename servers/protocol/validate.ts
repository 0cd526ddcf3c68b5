import { byteCount, countBytesElements, elementCount, invalid, showShape } from './tensors.js';
import type { InferRequest, ModelMetadata, Tensor, TensorMetadata } from './types.js';

/**
 * Makes the check that a request fits its model, and counts its rows.
 *
 * `maxRows` is the most rows of a request for a model with a batch dimension (its max_batch_size); 0: the model has none,
 * and a request is 1 row. The check throws INVALID_ARGUMENT that names the tensor, what was found and what is expected.
 */
export function requestValidator(model: ModelMetadata, maxRows: number): (request: InferRequest) => number {
  const inputs = new Map(model.inputs.map((input) => [input.name, input]));
  const outputs = new Set(model.outputs.map((output) => output.name));
  return (request) => {
    checkNames(model, inputs, request.inputs);
    for (const input of request.inputs) checkTensor(input, inputs.get(input.name)!);
    checkOutputs(model, outputs, request);
    return maxRows === 0 ? 1 : countRows(request.inputs, maxRows);
  };
}

function checkNames(model: ModelMetadata, known: ReadonlyMap<string, TensorMetadata>, inputs: readonly Tensor[]): void {
  // The usual request, without a set.
  if (inputs.length === 1 && known.size === 1 && known.has(inputs[0]!.name)) return;
  const seen = new Set<string>();
  for (const { name } of inputs) {
    if (!known.has(name))
      throw invalid(`unknown input "${name}" of model "${model.name}"; expected ${list(known.keys())}`);
    if (seen.has(name)) throw invalid(`input "${name}" is given twice; expected once`);
    seen.add(name);
  }
  for (const name of known.keys())
    if (!seen.has(name))
      throw invalid(
        `input "${name}" of model "${model.name}" is missing; found ${list(seen)}, expected ${list(known.keys())}`,
      );
}

function checkTensor(input: Tensor, expected: TensorMetadata): void {
  if (input.datatype !== expected.datatype)
    throw invalid(`${placeOf(input)}: datatype is ${input.datatype}; expected ${expected.datatype}`);
  const { shape } = input;
  if (shape.length !== expected.shape.length)
    throw invalid(
      `${placeOf(input)}: shape is ${showShape(shape)}, rank ${shape.length}; expected rank ${expected.shape.length}, shape ${showShape(expected.shape)}`,
    );
  for (let i = 0; i < shape.length; i++)
    if (expected.shape[i] !== -1 && expected.shape[i] !== shape[i])
      throw invalid(
        `${placeOf(input)}: shape is ${showShape(shape)}; expected ${showShape(expected.shape)} (-1 = any size)`,
      );
  checkSize(input);
}

function placeOf({ name }: Tensor): string {
  return `input "${name}"`;
}

function checkSize(input: Tensor): void {
  const expected = byteCount(input.datatype, input.shape);
  if (expected !== undefined && expected !== input.data.length)
    throw invalid(
      `${placeOf(input)}: has ${input.data.length} bytes; expected ${expected} for ${input.datatype} ${showShape(input.shape)}`,
    );
  if (expected !== undefined) return;
  const elements = countBytesElements(input.data);
  if (elements === undefined)
    throw invalid(`${placeOf(input)}: a BYTES element's length points past the end of its ${input.data.length} bytes`);
  if (elements !== elementCount(input.shape))
    throw invalid(
      `${placeOf(input)}: has ${elements} BYTES elements; expected ${elementCount(input.shape)} for shape ${showShape(input.shape)}`,
    );
}

function checkOutputs(model: ModelMetadata, known: ReadonlySet<string>, request: InferRequest): void {
  if (!request.outputs?.length) return;
  const seen = new Set<string>();
  for (const { name, parameters } of request.outputs) {
    if (!known.has(name)) throw invalid(`unknown output "${name}" of model "${model.name}"; expected ${list(known)}`);
    if (seen.has(name)) throw invalid(`output "${name}" is asked for twice; expected once`);
    seen.add(name);
    if (parameters?.classification !== undefined)
      throw invalid(`output "${name}": the classification extension is not supported; ask for the tensor itself`);
    if (parameters?.shared_memory_region !== undefined)
      throw invalid(`output "${name}": shared memory is not supported; expected data in the response`);
  }
}

/** Size of the batch dimension, which all inputs share. */
function countRows(inputs: readonly Tensor[], maxRows: number): number {
  const first = inputs[0];
  const rows = first?.shape[0];
  if (first === undefined || rows === undefined) return 1;
  for (const input of inputs)
    if (input.shape[0] !== rows)
      throw invalid(
        `input "${input.name}" has ${input.shape[0]} rows (first dimension), input "${first.name}" ${rows}; expected the same for all`,
      );
  if (rows < 1) throw invalid(`input "${first.name}" has ${rows} rows (first dimension); expected at least 1`);
  if (rows > maxRows)
    throw invalid(`input "${first.name}" has ${rows} rows (first dimension); expected at most ${maxRows}`);
  return rows;
}

function list(names: Iterable<string>): string {
  const quoted = [...names].map((name) => `"${name}"`);
  return quoted.length === 0 ? 'none' : quoted.join(', ');
}
