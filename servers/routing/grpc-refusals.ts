import type { ServerHttp2Stream } from 'node:http2';
import type { GrpcStatus } from '../frontends/grpc-status.js';
import { trailersFor } from '../frontends/grpc-wire.js';

/** A call that fails before it has begun to answer: head and trailers in one. What still comes of the request is not read. */
export function refuseCall(stream: ServerHttp2Stream, status: GrpcStatus): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return;
  const trailers = Object.fromEntries(trailersFor(status));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true });
  if (!stream.readableEnded) stream.resume();
}

/** What is no gRPC gets an answer in HTTP. */
export function refuseHttp(stream: ServerHttp2Stream, status: number, message: string): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond({ ':status': status, 'content-type': 'text/plain; charset=utf-8' });
  stream.end(message);
  stream.resume();
}
