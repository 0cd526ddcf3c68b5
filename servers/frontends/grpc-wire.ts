import type { OutgoingHttpHeaders, ServerHttp2Stream, ServerStreamResponseOptions } from 'node:http2';
import { type GrpcStatus, REASON_KEY } from './grpc-status.js';

const HEADERS: OutgoingHttpHeaders = { ':status': 200, 'content-type': 'application/grpc' };
/** gRPC knows no use for `date`, which would be a header more for each answer. */
const OPTIONS = { waitForTrailers: true, sendDate: false } as ServerStreamResponseOptions;
const OK: OutgoingHttpHeaders = { 'grpc-status': '0' };

/** Sends the head of an answer; its trailers say OK once the stream has ended, unless `trailersOf` says otherwise. */
export function beginAnswer(stream: ServerHttp2Stream, trailersOf: () => GrpcStatus | undefined = none): void {
  stream.on('wantTrailers', () => {
    const status = trailersOf();
    stream.sendTrailers(status ? trailersFor(status) : OK);
  });
  stream.respond(HEADERS, OPTIONS);
}

/** A whole answer: head, frame, trailers. */
export function answerUnary(stream: ServerHttp2Stream, frame: readonly Uint8Array[]): void {
  if (stream.destroyed || stream.closed) return;
  beginAnswer(stream);
  const last = frame.length - 1;
  if (last > 0) {
    stream.cork();
    for (let i = 0; i < last; i++) stream.write(frame[i]);
  }
  stream.end(frame[last]);
}

/** A call that fails before it has begun to answer: head and trailers in one. What still comes of the request is not read. */
export function refuseCall(stream: ServerHttp2Stream, status: GrpcStatus): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return;
  stream.respond({ ...HEADERS, ...trailersFor(status) }, { endStream: true });
  if (!stream.readableEnded) stream.resume();
}

/** What is no gRPC gets an answer in HTTP. Source: gRPC over HTTP2, "Requests". */
export function refuseHttp(stream: ServerHttp2Stream, status: number, message: string): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond({ ':status': status, 'content-type': 'text/plain; charset=utf-8' });
  stream.end(message);
  stream.resume();
}

function trailersFor({ code, details, reason }: GrpcStatus): OutgoingHttpHeaders {
  const trailers: OutgoingHttpHeaders = { 'grpc-status': String(code), 'grpc-message': percentEncoded(details) };
  if (reason !== undefined) trailers[REASON_KEY] = reason;
  return trailers;
}

/** Source: gRPC over HTTP2, "Responses": `Percent-Encoded`. */
function percentEncoded(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent);
}

function none(): undefined {
  return undefined;
}
