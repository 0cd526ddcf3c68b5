import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { HOP_BY_HOP, REPLICA_HEADER } from './client-sink.js';
import type { Sink } from './exchange.js';
import { refuseCall } from './grpc-refusals.js';
import { grpcOfHttp } from './grpc-statuses.js';
import type { Collector } from './mirror.js';
import type { Trailers, UpstreamControl } from './upstream.js';

/** Hands an answer on to a gRPC client as it comes; where the client reads slowly, the replica waits. */
export class GrpcSink implements Sink {
  #control: UpstreamControl | undefined;
  #trailers: OutgoingHttpHeaders = {};

  constructor(
    private readonly stream: ServerHttp2Stream,
    /** Where the answer is compared with that to a copy. */
    private readonly collector: Collector | undefined,
  ) {}

  head(status: number, headers: IncomingHttpHeaders, replica: string, control: UpstreamControl): void {
    this.#control = control;
    this.collector?.head(status, headers);
    const { stream } = this;
    if (this.#isGone()) return;
    const outgoing = { ':status': 200, ...passed(headers), [REPLICA_HEADER]: replica };
    // An error without a message is head and trailers in one.
    if (headers['grpc-status'] !== undefined) {
      stream.respond(outgoing, { endStream: true, sendDate: false } as object);
      if (!stream.readableEnded) stream.resume();
      return;
    }
    stream.on('wantTrailers', () => stream.sendTrailers(this.#trailers));
    stream.respond(outgoing, { waitForTrailers: true, sendDate: false } as object);
  }

  data(chunk: Buffer): void {
    this.collector?.data(chunk);
    if (this.#isGone() || this.stream.write(chunk)) return;
    this.#control?.pause();
    this.stream.once('drain', () => this.#control?.resume());
  }

  end(trailers?: Trailers): void {
    this.collector?.end(trailers);
    if (trailers) this.#trailers = passed(trailers.headers);
    if (!this.#isGone() && !this.stream.writableEnded) this.stream.end();
  }

  refused(status: number, reason: string, message: string): void {
    refuseCall(this.stream, { code: grpcOfHttp(status), details: message, reason });
  }

  cut(): void {
    if (!this.#isGone()) this.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  #isGone(): boolean {
    return this.stream.destroyed || this.stream.closed;
  }
}

function passed(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith(':') && !HOP_BY_HOP.has(name) && name !== 'date'),
  );
}
