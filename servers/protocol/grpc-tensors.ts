import { contentsToBytes } from './grpc-contents.js';
import { type ProtoReader, WIRE } from './proto-reader.js';
import type { ProtoWriter } from './proto-writer.js';
import { invalid, toDatatype } from './tensors.js';
import type { Parameters, ParameterValue, Tensor } from './types.js';

/** A tensor as its message says it; the content may lie elsewhere. */
export interface TensorMessage {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly parameters: Parameters | undefined;
  /** Its typed contents, not yet read. */
  readonly contents: readonly ProtoReader[];
}

/** `InferInputTensor` and `InferOutputTensor`, which have the same fields. */
export function readTensor(reader: ProtoReader): TensorMessage {
  let name = '';
  let datatype = '';
  let parameters: Record<string, ParameterValue> | undefined;
  const shape: number[] = [];
  const contents: ProtoReader[] = [];
  while (reader.next()) {
    if (reader.field === 3 && reader.is(WIRE.varint)) shape.push(reader.signed());
    else if (!reader.is(WIRE.bytes)) reader.skip();
    else if (reader.field === 1) name = reader.string();
    else if (reader.field === 2) datatype = reader.string();
    else if (reader.field === 3) for (const run = reader.message(); !run.done; ) shape.push(run.signed());
    else if (reader.field === 4) parameters = readParameter(reader.message(), parameters);
    else if (reader.field === 5) contents.push(reader.message());
    else reader.skip();
  }
  return { name, datatype, shape, parameters, contents };
}

/**
 * The tensors of a message with their contents: `raw[i]` belongs to the i-th, or all have typed contents. Throws
 * INVALID_ARGUMENT where the protocol's "one or the other" is broken. `kind` is `input` or `output`.
 */
export function joinTensors(kind: string, messages: readonly TensorMessage[], raw: readonly Uint8Array[]): Tensor[] {
  if (raw.length > 0 && raw.length !== messages.length)
    throw invalid(`raw_${kind}_contents has ${raw.length} entries; expected ${messages.length}, one for each ${kind}`);
  return messages.map((message, i) => {
    const place = `${kind} "${message.name}"`;
    const datatype = toDatatype(message.datatype, place);
    // Contents without a single element are no contents: MLServer sends them beside its raw ones.
    if (raw.length > 0 && message.contents.some((contents) => !contents.done))
      throw invalid(`${place}: has typed contents although raw_${kind}_contents is used; expected one of the two`);
    if (message.shape.some((dim) => dim < 0))
      throw invalid(`${place}: shape is [${message.shape.join(',')}]; expected integers ≥ 0`);
    const data = raw[i] ?? contentsToBytes(place, datatype, message.contents);
    const { name, shape, parameters } = message;
    return parameters ? { name, datatype, shape, data, parameters } : { name, datatype, shape, data };
  });
}

/** Writes a tensor without its content, which follows as raw contents. */
export function writeTensor(writer: ProtoWriter, field: number, tensor: Tensor): void {
  const mark = writer.begin(field);
  writer.string(1, tensor.name);
  writer.string(2, tensor.datatype);
  writer.integers(3, tensor.shape);
  writeParameters(writer, 4, tensor.parameters);
  writer.close(mark);
}

/** One entry of a `map<string, InferParameter>`, added to those before it. */
export function readParameter(
  entry: ProtoReader,
  before: Record<string, ParameterValue> | undefined,
): Record<string, ParameterValue> {
  let key = '';
  let value: ParameterValue | undefined;
  while (entry.next()) {
    if (entry.field === 1 && entry.is(WIRE.bytes)) key = entry.string();
    else if (entry.field === 2 && entry.is(WIRE.bytes)) value = readChoice(entry.message()) ?? value;
    else entry.skip();
  }
  const parameters = before ?? {};
  // A choice that is not set says nothing; neither does one of a newer protocol.
  if (value !== undefined) parameters[key] = value;
  return parameters;
}

/** Integers become int64 (uint64 beyond it), other numbers double. */
export function writeParameters(writer: ProtoWriter, field: number, parameters: Parameters | undefined): void {
  for (const key in parameters) {
    const entry = writer.begin(field);
    writer.string(1, key);
    const choice = writer.begin(2);
    writeChoice(writer, parameters[key]!);
    writer.close(choice);
    writer.close(entry);
  }
}

function readChoice(reader: ProtoReader): ParameterValue | undefined {
  let value: ParameterValue | undefined;
  while (reader.next()) {
    if (reader.field === 1 && reader.is(WIRE.varint)) value = reader.bool();
    else if (reader.field === 2 && reader.is(WIRE.varint)) value = reader.shortInt64();
    else if (reader.field === 3 && reader.is(WIRE.bytes)) value = reader.string();
    else if (reader.field === 4 && reader.is(WIRE.fixed64)) value = reader.double();
    else if (reader.field === 5 && reader.is(WIRE.varint)) value = shortest(reader.uint64());
    else reader.skip();
  }
  return value;
}

function writeChoice(writer: ProtoWriter, value: ParameterValue): void {
  if (typeof value === 'boolean') writer.integer(1, value ? 1 : 0);
  else if (typeof value === 'string') writer.string(3, value, true);
  else if (typeof value === 'bigint') writer.integer(value > 0x7fffffffffffffffn ? 5 : 2, value);
  else if (Number.isSafeInteger(value)) writer.integer(2, value);
  else writer.double(4, value);
}

/** A number where that is exact, otherwise the bigint. */
function shortest(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
