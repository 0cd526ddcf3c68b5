import { nowNs } from '../../results/clock.js';
import { joinTensors, readParameter, readTensor, writeParameters, writeTensor } from './grpc-tensors.js';
import { ProtoReader, WIRE } from './proto-reader.js';
import { ProtoWriter } from './proto-writer.js';
import { timingsFromParameters, timingsToParameters } from './timings.js';
import type {
  InferRequest,
  InferResponse,
  Parameters,
  ParameterValue,
  RequestedOutput,
  ServerTimings,
  Tensor,
} from './types.js';

/**
 * `ModelInferRequest` and `ModelInferResponse` of inference.proto by hand: raw contents are views into the message, and a
 * message that is written copies each tensor once. A generic decoder costs twice as much at 600 kB, through garbage alone.
 */

/** The server's side. Throws INVALID_ARGUMENT for what is not the message, or contradicts itself. `consumed`: see InferRequest. */
export function decodeGrpcRequest(message: Uint8Array, consumed?: () => void): InferRequest {
  const fields = readFields(message, 7);
  const { modelName, modelVersion, id, parameters, raw } = fields;
  const inputs = joinTensors('input', fields.tensors.map(readTensor), raw);
  const outputs = fields.others.map(readRequestedOutput);
  return { modelName, modelVersion, id, parameters, inputs, outputs, consumed };
}

/** The client's side: all inputs as raw contents. */
export function encodeGrpcRequest(request: InferRequest): Buffer {
  return writeRequest(request).finish(7, contentsOf(request.inputs));
}

/** The same as one frame of gRPC; the tensors of a long request are chunks of their own, not copied. */
export function frameGrpcRequest(request: InferRequest): readonly Uint8Array[] {
  return writeRequest(request).frame(7, contentsOf(request.inputs));
}

function writeRequest(request: InferRequest): ProtoWriter {
  const writer = writeHead(request, request.parameters, request.id);
  for (const input of request.inputs) writeTensor(writer, 5, input);
  for (const output of request.outputs ?? []) {
    const mark = writer.begin(6);
    writer.string(1, output.name);
    writeParameters(writer, 2, output.parameters);
    writer.close(mark);
  }
  return writer;
}

/** The client's side; takes raw and typed contents. Throws INVALID_ARGUMENT. */
export function decodeGrpcResponse(message: Uint8Array): InferResponse {
  const fields = readFields(message, 6);
  const { modelName, modelVersion, id, parameters, raw } = fields;
  const outputs = joinTensors('output', fields.tensors.map(readTensor), raw);
  return { modelName, modelVersion, id, parameters, outputs };
}

/**
 * The server's side: the request's id, all outputs as raw contents, the timings in the parameters. `timings.serialiseNs` becomes the time
 * since `startedNs` (nowNs) until the tensors' heads are written, `timings.totalNs` that since `receivedNs`; the copy of the contents is still to come.
 */
export function encodeGrpcResponse(
  request: InferRequest,
  response: InferResponse,
  timings: ServerTimings,
  startedNs: number,
  receivedNs?: number,
): Buffer {
  return writeResponse(request, response, timings, startedNs, receivedNs).finish(6, contentsOf(response.outputs));
}

/** The same as one frame of gRPC; the tensors of a long response are chunks of their own, not copied. */
export function frameGrpcResponse(
  request: InferRequest,
  response: InferResponse,
  timings: ServerTimings,
  startedNs: number,
  receivedNs?: number,
): readonly Uint8Array[] {
  return writeResponse(request, response, timings, startedNs, receivedNs).frame(6, contentsOf(response.outputs));
}

/**
 * The timings at the beginning of a response, without the tensors: they stand ahead of the raw contents. Undefined where
 * they are not there (another server) or the message cannot be read.
 */
export function grpcTimings(beginning: Buffer): ServerTimings | undefined {
  const reader = new ProtoReader(beginning);
  let parameters: Record<string, ParameterValue> | undefined;
  try {
    while (reader.next() && reader.field < 6) {
      if (reader.field === 4 && reader.is(WIRE.bytes)) parameters = readParameter(reader.message(), parameters);
      else reader.skip();
    }
  } catch {
    return undefined;
  }
  return timingsFromParameters(parameters);
}

function writeResponse(
  request: InferRequest,
  response: InferResponse,
  timings: ServerTimings,
  startedNs: number,
  receivedNs?: number,
): ProtoWriter {
  const writer = writeHead(response, response.parameters, response.id ?? request.id);
  for (const output of response.outputs) writeTensor(writer, 5, output);
  const endedNs = nowNs();
  timings.serialiseNs = endedNs - startedNs;
  if (receivedNs !== undefined) timings.totalNs = endedNs - receivedNs;
  writeParameters(writer, 4, timingsToParameters(timings));
  return writer;
}

function contentsOf(tensors: readonly Tensor[]): Uint8Array[] {
  return tensors.map((tensor) => tensor.data);
}

/** One for all messages: encoding is synchronous. */
const scratch = new ProtoWriter();

function writeHead(
  message: InferRequest | InferResponse,
  parameters: Parameters | undefined,
  id: string | undefined,
): ProtoWriter {
  const writer = scratch.reset();
  writer.string(1, message.modelName);
  writer.string(2, message.modelVersion);
  writer.string(3, id);
  writeParameters(writer, 4, parameters);
  return writer;
}

/** What the two messages have in common: fields 1 to 4, tensors in 5, raw contents in the last field; a request's outputs are `others`. */
interface Fields {
  modelName: string;
  modelVersion: string | undefined;
  id: string | undefined;
  parameters: Record<string, ParameterValue> | undefined;
  readonly tensors: ProtoReader[];
  readonly others: ProtoReader[];
  readonly raw: Uint8Array[];
}

function readFields(message: Uint8Array, rawField: number): Fields {
  const reader = new ProtoReader(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
  const fields: Fields = {
    modelName: '',
    modelVersion: undefined,
    id: undefined,
    parameters: undefined,
    tensors: [],
    others: [],
    raw: [],
  };
  while (reader.next()) {
    if (!reader.is(WIRE.bytes)) reader.skip();
    else if (reader.field === rawField) fields.raw.push(reader.bytes());
    else if (reader.field === 1) fields.modelName = reader.string();
    else if (reader.field === 2) fields.modelVersion = reader.string() || undefined;
    else if (reader.field === 3) fields.id = reader.string() || undefined;
    else if (reader.field === 4) fields.parameters = readParameter(reader.message(), fields.parameters);
    else if (reader.field === 5) fields.tensors.push(reader.message());
    else if (reader.field === 6) fields.others.push(reader.message());
    else reader.skip();
  }
  return fields;
}

function readRequestedOutput(reader: ProtoReader): RequestedOutput {
  let name = '';
  let parameters: Record<string, ParameterValue> | undefined;
  while (reader.next()) {
    if (!reader.is(WIRE.bytes)) reader.skip();
    else if (reader.field === 1) name = reader.string();
    else if (reader.field === 2) parameters = readParameter(reader.message(), parameters);
    else reader.skip();
  }
  return { name, parameters };
}
