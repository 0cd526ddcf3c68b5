import { nowNs } from '../../results/clock.js';
import {
  asArray,
  asOptionalString,
  asString,
  decodeParameters,
  decodeTensor,
  JsonMessage,
  openBody,
  parameterEntries,
  quoted,
  tensorText,
} from './json.js';
import { TIMING_FIELDS, TIMING_PARAMETERS } from './timings.js';
import type { InferRequest, InferResponse, ServerTimings } from './types.js';

/**
 * The server's side: a response as v2 JSON, with the request's id. Outputs are binary where the request asks: `binary_data` of the output, else
 * `binary_data_output` of the request, else JSON. `timings.serialiseNs` becomes the time since `startedNs` (nowNs) until all
 * tensors are encoded, `timings.totalNs` that since `receivedNs`, and all timings go into the parameters.
 */
export function encodeJsonResponse(
  request: InferRequest,
  response: InferResponse,
  timings: ServerTimings,
  startedNs: number,
  receivedNs?: number,
): JsonMessage {
  const binary: Uint8Array[] = [];
  const outputs: string[] = [];
  for (const output of response.outputs) {
    const raw = wantsBinary(request, output.name);
    if (raw) binary.push(output.data);
    outputs.push(tensorText(output, raw));
  }
  const endedNs = nowNs();
  timings.serialiseNs = endedNs - startedNs;
  if (receivedNs !== undefined) timings.totalNs = endedNs - receivedNs;
  const own = parameterEntries(response.parameters);
  const all = own === '' ? timingsText(timings) : `${own},${timingsText(timings)}`;
  return new JsonMessage(
    `${names(response, response.id ?? request.id)},"parameters":{${all}},"outputs":[${outputs.join(',')}]}`,
    binary,
  );
}

/** The client's side: the response in a body; binary tensors are views into it. Throws INVALID_ARGUMENT. */
export function decodeJsonResponse(body: Uint8Array, headerLength: number | undefined): InferResponse {
  const { head, binary } = openBody(body, headerLength, 'response');
  const outputs = asArray(head.outputs, 'outputs').map((output, i) => decodeTensor(output, `output[${i}]`, binary));
  binary.finish('response');
  return {
    modelName: asString(head.model_name, 'model_name'),
    modelVersion: asOptionalString(head.model_version, 'model_version'),
    id: asOptionalString(head.id, 'id'),
    parameters: decodeParameters(head.parameters, 'parameters'),
    outputs,
  };
}

function wantsBinary(request: InferRequest, name: string): boolean {
  const own = request.outputs?.find((output) => output.name === name)?.parameters?.binary_data;
  return (own ?? request.parameters?.binary_data_output) === true;
}

function names(response: InferResponse, requestId: string | undefined): string {
  const version = response.modelVersion === undefined ? '' : `,"model_version":${quoted(response.modelVersion)}`;
  const id = requestId === undefined ? '' : `,"id":${JSON.stringify(requestId)}`;
  return `{"model_name":${quoted(response.modelName)}${version}${id}`;
}

/** By hand, because it is on every response's way: a third of the cost of going through an object. */
function timingsText(timings: ServerTimings): string {
  let text = '';
  for (const field of TIMING_FIELDS) {
    const value = timings[field];
    if (value !== undefined) text += `${text === '' ? '' : ','}"${TIMING_PARAMETERS[field]}":${Math.round(value)}`;
  }
  return text;
}
