/** The path of `ModelInfer` of inference.proto. */
export const MODEL_INFER = '/inference.GRPCInferenceService/ModelInfer';

/** Trailer in which our server tells the short reason of a refusal. */
export const REASON_KEY = 'servemark-reason';

/** gRPC's status codes by their numbers. Source: gRPC, "Status codes and their use". */
const STATUS_NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

export function grpcStatusName(status: number): string {
  return STATUS_NAMES[status] ?? `gRPC ${status}`;
}

/** What an HTTP status means where no gRPC status came. Source: gRPC, "HTTP to gRPC Status Code Mapping". */
export function grpcStatusOfHttp(http: number): number {
  return HTTP_STATUS[http] ?? 2;
}

const HTTP_STATUS: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};
