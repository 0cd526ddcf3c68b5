import type { Field, Http2Stream } from '../protocol/http2/index.js';
import { type GrpcStatus, REASON_KEY } from './grpc-status.js';

/** The same lists for every answer: HPACK makes them once. */
const HEAD: readonly Field[] = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
];
const OK: readonly Field[] = [['grpc-status', '0']];
const NONE: readonly Field[] = [];

/** Sends the head of an answer in several messages. */
export function beginAnswer(stream: Http2Stream): void {
  stream.headers(HEAD);
}

/** The last of an answer: what there still is to send, then the trailers. */
export function endAnswer(stream: Http2Stream, frame: readonly Uint8Array[] = []): void {
  stream.endWith(frame, OK);
}

/** A whole answer: head, frame, trailers. */
export function answerUnary(stream: Http2Stream, frame: readonly Uint8Array[]): void {
  beginAnswer(stream);
  endAnswer(stream, frame);
}

/** A call that fails: head and trailers in one where it has not begun to answer. What still comes of the request is not read. */
export function refuseCall(stream: Http2Stream, status: GrpcStatus, begun = false): void {
  if (begun) stream.endWith([], NONE, trailersFor(status));
  else stream.headers(HEAD, trailersFor(status), true);
}

/** What is no gRPC gets an answer in HTTP. Source: gRPC over HTTP2, "Requests". */
export function refuseHttp(stream: Http2Stream, status: number, message: string): void {
  stream.headers(NONE, [
    [':status', String(status)],
    ['content-type', 'text/plain; charset=utf-8'],
  ]);
  stream.end([Buffer.from(message)]);
}

/** Status, message and reason as headers. */
export function trailersFor({ code, details, reason }: GrpcStatus): Field[] {
  const trailers: Field[] = [
    ['grpc-status', String(code)],
    ['grpc-message', percentEncoded(details)],
  ];
  if (reason !== undefined) trailers.push([REASON_KEY, reason]);
  return trailers;
}

/** Source: gRPC over HTTP2, "Responses": `Percent-Encoded`. */
function percentEncoded(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent);
}
