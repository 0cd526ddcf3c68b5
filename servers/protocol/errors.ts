/** The outcomes a v2 server reports, by their gRPC names. */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'RESOURCE_EXHAUSTED'
  | 'CANCELLED'
  | 'UNIMPLEMENTED'
  | 'INTERNAL';

/** code → [HTTP status, gRPC status number]. */
export const STATUS: Readonly<Record<ErrorCode, readonly [http: number, grpc: number]>> = {
  INVALID_ARGUMENT: [400, 3],
  NOT_FOUND: [404, 5],
  UNAVAILABLE: [503, 14],
  DEADLINE_EXCEEDED: [504, 4],
  RESOURCE_EXHAUSTED: [413, 8],
  CANCELLED: [499, 1],
  UNIMPLEMENTED: [501, 12],
  INTERNAL: [500, 13],
};

/** An error that goes back to the client. `reason` is the short machine word (`queue-full`, `timeout`, `worker-died`). */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly reason?: string,
  ) {
    super(message);
  }
}
