import {
  asArray,
  asObject,
  asOptionalString,
  asString,
  decodeParameters,
  decodeTensor,
  JsonMessage,
  openBody,
  parametersText,
  tensorText,
} from './json.js';
import type { InferRequest, RequestedOutput, Tensor } from './types.js';

/**
 * The client's side: a request as v2 JSON. `binary` sends every tensor by the binary extension and asks for the outputs
 * in the same way. Model name and version belong into the URL (`inferPath`).
 */
export function encodeJsonRequest(request: InferRequest, binary: boolean): JsonMessage {
  const parameters = binary ? { ...request.parameters, binary_data_output: true } : request.parameters;
  const id = request.id === undefined ? '' : `"id":${JSON.stringify(request.id)},`;
  const inputs = request.inputs.map((input) => tensorText(input, binary)).join(',');
  const outputs = request.outputs?.length ? `,"outputs":[${request.outputs.map(outputText).join(',')}]` : '';
  const text = `{${id}"inputs":[${inputs}]${outputs}${parametersText(parameters)}}`;
  return new JsonMessage(text, binary ? request.inputs.map((input) => input.data) : []);
}

/** `/v2/models/NAME[/versions/V]/infer`. */
export function inferPath(modelName: string, modelVersion?: string): string {
  const version = modelVersion === undefined ? '' : `/versions/${encodeURIComponent(modelVersion)}`;
  return `/v2/models/${encodeURIComponent(modelName)}${version}/infer`;
}

/**
 * The server's side: the request in a body. Binary tensors are views into it. Throws INVALID_ARGUMENT that names the place,
 * what was found and what is expected; whether it fits a model is validate.ts' question.
 */
export function decodeJsonRequest(
  body: Uint8Array,
  headerLength: number | undefined,
  modelName: string,
  modelVersion?: string,
  consumed?: () => void,
): InferRequest {
  if (headerLength === undefined || headerLength > MAX_KNOWN_BYTES)
    return decodeAnew(body, headerLength, modelName, modelVersion, consumed);
  const known = knownHeader(body, headerLength);
  if (known !== undefined && headerLength + known.bytes === body.length) {
    const { parameters, outputs } = known;
    const inputs = cut(known, body, headerLength);
    return { modelName, modelVersion, consumed, id: undefined, parameters, inputs, outputs };
  }
  const request = decodeAnew(body, headerLength, modelName, modelVersion, consumed);
  remember(request, body, headerLength);
  return request;
}

/** JSON headers of which only the tensors behind them differ: clients send the same ones again and again. */
const knownHeaders = new Map<string, KnownHeader>();
const MAX_KNOWN = 64;
const MAX_KNOWN_BYTES = 2048;
/** The one that came last, by its bytes: the next is likely to be the same, and needs no text then. */
let last: { readonly bytes: Buffer; readonly known: KnownHeader } | undefined;

function knownHeader(body: Uint8Array, length: number): KnownHeader | undefined {
  if (last?.bytes.length === length && body.length >= length && last.bytes.compare(body, 0, length) === 0)
    return last.known;
  const text = textOf(body, length);
  const known = knownHeaders.get(text);
  if (known !== undefined) last = { bytes: Buffer.from(text, 'latin1'), known };
  return known;
}

function textOf(body: Uint8Array, length: number): string {
  return Buffer.from(body.buffer, body.byteOffset, length).toString('latin1');
}

interface KnownHeader extends Pick<InferRequest, 'parameters' | 'outputs'> {
  /** Without content: what is remembered must not hold on to a body. */
  readonly inputs: readonly Omit<Tensor, 'data'>[];
  /** Bytes of each input, and of all. */
  readonly lengths: readonly number[];
  readonly bytes: number;
}

function cut({ inputs, lengths }: KnownHeader, body: Uint8Array, from: number): Tensor[] {
  let at = from;
  return inputs.map(({ name, datatype, shape, parameters }, i) => {
    const data = body.subarray(at, at + lengths[i]!);
    at += lengths[i]!;
    return { name, datatype, shape, data, parameters };
  });
}

/** One with an id of its own will not come again; one that has numbers in its JSON does not say all by its lengths. */
function remember(request: InferRequest, body: Uint8Array, headerLength: number): void {
  const bytes = body.length - headerLength;
  const lengths = request.inputs.map(({ data }) => data.length);
  if (request.id !== undefined || lengths.reduce((sum, length) => sum + length, 0) !== bytes) return;
  if (knownHeaders.size >= MAX_KNOWN) knownHeaders.clear();
  const inputs = request.inputs.map(({ data: _, ...input }) => input);
  knownHeaders.set(textOf(body, headerLength), {
    parameters: request.parameters,
    outputs: request.outputs,
    inputs,
    lengths,
    bytes,
  });
}

function decodeAnew(
  body: Uint8Array,
  headerLength: number | undefined,
  modelName: string,
  modelVersion: string | undefined,
  consumed: (() => void) | undefined,
): InferRequest {
  const { head, binary } = openBody(body, headerLength, 'request');
  const inputs = asArray(head.inputs, 'inputs').map((input, i) => decodeTensor(input, `input[${i}]`, binary));
  binary.finish('request');
  return {
    modelName,
    modelVersion,
    consumed,
    id: asOptionalString(head.id, 'id'),
    parameters: decodeParameters(head.parameters, 'parameters'),
    inputs,
    outputs: head.outputs === undefined ? undefined : asArray(head.outputs, 'outputs').map(decodeOutput),
  };
}

function decodeOutput(value: unknown, index: number): RequestedOutput {
  const output = asObject(value, `output[${index}]`);
  const name = asString(output.name, `output[${index}].name`);
  return { name, parameters: decodeParameters(output.parameters, `output "${name}".parameters`) };
}

function outputText(output: RequestedOutput): string {
  return `{"name":${JSON.stringify(output.name)}${parametersText(output.parameters)}}`;
}
