/** KServe v2: types, tensors and codecs. The only part of the servers that clients may see. */
export { type ErrorCode, STATUS } from './errors.js';
export { GraphRun, graphOutputs, graphProblems, type RequestGraph } from './graph.js';
export { decodeGrpcResponse, encodeGrpcRequest, frameGrpcRequest, grpcTimings } from './grpc-codec.js';
export { MessageReader } from './grpc-frames.js';
export { inferenceService } from './grpc-service.js';
export { fromBf16, fromFp16, toBf16, toFp16 } from './half.js';
export { ChunkedBody, HEAD_END, LINE_END, MalformedHttp } from './http1-chunks.js';
export { INFER_HEADER, parseHeaderLength } from './json.js';
export { encodeJsonRequest, inferPath } from './json-request.js';
export { decodeJsonResponse } from './json-response.js';
export { argmax, classOf, numbersOf } from './scores.js';
export type { InferenceService, InferOutcome, InferTicket, ModelIndex, ModelRepository } from './service.js';
export { byteCount, ELEMENT_BYTES, elementCount, joinBytes, showShape, splitBytes } from './tensors.js';
export { TIMING_PARAMETERS, timingsFromParameters } from './timings.js';
export * from './types.js';
