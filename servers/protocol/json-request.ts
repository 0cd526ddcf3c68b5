import {
  asArray,
  asObject,
  asOptionalString,
  asString,
  decodeParameters,
  decodeTensor,
  type JsonMessage,
  jsonMessage,
  openBody,
  parametersText,
  tensorText,
} from './json.js';
import type { InferRequest, RequestedOutput } from './types.js';

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
  return jsonMessage(text, binary ? request.inputs.map((input) => input.data) : []);
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
): InferRequest {
  const { head, binary } = openBody(body, headerLength, 'request');
  const inputs = asArray(head.inputs, 'inputs').map((input, i) => decodeTensor(input, `input[${i}]`, binary));
  binary.finish('request');
  return {
    modelName,
    modelVersion,
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
