import { STATUS } from '../protocol/index.js';

/** gRPC's code as an HTTP status, so that one set of rules holds for both: UNAVAILABLE is 503, an error of the server is 5xx. */
export function httpOfGrpc(code: number): number {
  return TO_HTTP.get(code) ?? (code === 0 ? 200 : 500);
}

/** Of what the gateway says itself: nobody is there, nobody answered in time. */
export function grpcOfHttp(status: number): number {
  return status === 504 ? STATUS.DEADLINE_EXCEEDED[1] : STATUS.UNAVAILABLE[1];
}

const TO_HTTP = new Map<number, number>(
  Object.values(STATUS)
    .map(([http, grpc]) => [grpc, http] as const)
    // What the client may not or must not do is no failure of the replica.
    .concat([
      [6, 409],
      [7, 403],
      [9, 412],
      [10, 409],
      [11, 400],
      [16, 401],
    ]),
);
