/** KServe v2: types, tensors and codecs. The only part of the servers that clients may see. */
export { configDatatype, modelConfig, type ServingConfig } from './config.js';
export { type ErrorCode, ProtocolError, STATUS } from './errors.js';
export { decodeGrpcRequest, decodeGrpcResponse, encodeGrpcRequest, encodeGrpcResponse } from './grpc-codec.js';
export { inferenceService, loadInferenceProto, SERVICE_NAME } from './grpc-service.js';
export { fromBf16, fromFp16, toBf16, toFp16 } from './half.js';
export { INFER_HEADER, type JsonMessage, parseHeaderLength } from './json.js';
export { decodeJsonRequest, encodeJsonRequest, inferPath } from './json-request.js';
export { decodeJsonResponse, encodeJsonResponse } from './json-response.js';
export type { InferenceService, InferOutcome, InferTicket } from './service.js';
export { byteCount, ELEMENT_BYTES, elementCount, joinBytes, showShape, splitBytes } from './tensors.js';
export { emptyTimings, TIMING_PARAMETERS, timingsFromParameters } from './timings.js';
export * from './types.js';
export { requestValidator } from './validate.js';
