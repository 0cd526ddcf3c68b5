import {
  encodeGrpcRequest,
  encodeJsonRequest,
  INFER_HEADER,
  type InferRequest,
  inferPath,
} from '../../servers/protocol/index.js';
import { hostAndPort, originOf } from '../transports/loopback.js';
import type { ExternalLoad } from './contract.js';

/** One request as every tool is to send it: from the encoders that our own client uses. `transport` is rest, rest-binary or grpc. */
export function payloadOf(
  transport: string,
  url: string,
  request: InferRequest,
): Pick<ExternalLoad, 'protocol' | 'url' | 'headers' | 'body' | 'message'> {
  const message = JSON.stringify(protoJson(request));
  if (transport === 'grpc')
    return { protocol: 'grpc', url: hostAndPort(url), headers: {}, body: encodeGrpcRequest(request), message };
  const { parts, headerLength } = encodeJsonRequest(request, transport === 'rest-binary');
  const headers: Record<string, string> = {
    'Content-Type': headerLength === undefined ? 'application/json' : 'application/octet-stream',
  };
  if (headerLength !== undefined) headers[INFER_HEADER] = String(headerLength);
  const endpoint = `${originOf(url)}${inferPath(request.modelName, request.modelVersion)}`;
  return { protocol: 'rest', url: endpoint, headers, body: Buffer.concat(parts), message };
}

/** `ModelInferRequest` as protobuf's JSON: bytes are base64. */
function protoJson(request: InferRequest): unknown {
  return {
    model_name: request.modelName,
    ...(request.modelVersion === undefined ? {} : { model_version: request.modelVersion }),
    inputs: request.inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    raw_input_contents: request.inputs.map(({ data }) => Buffer.from(data).toString('base64')),
  };
}
