import { messageOf } from '../../results/errors.js';
import { ERROR, type Headers, type Http2Stream, type StreamSink } from '../../servers/protocol/http2/index.js';
import { MessageReader } from '../../servers/protocol/index.js';
import { grpcStatusOfHttp } from './grpc-names.js';
import type { Http2Links } from './http2-links.js';

/** Who hears what becomes of a unary call: `head` at most once, then one of the other two, once. */
export interface UnarySink {
  /** The request's last byte has been handed to the socket; at most once, never after an end. */
  written?(): void;
  head(): void;
  /** The server's word. `message` is the answer, or its beginning, where `status` is 0 (OK). */
  answered(status: number, message: Buffer, trailers: Headers): void;
  /** No answer. `code`: `ECONNREFUSED`, `REFUSED_STREAM`, `malformed` … */
  broken(code: string, message: string): void;
}

export interface UnaryOptions {
  readonly path: string;
  /** Bytes of the answer's beginning that are wanted; absent: all. */
  readonly keptBytes?: number | undefined;
}

/** One unary gRPC call on an HTTP/2 stream. `chunks`: the request's frame. Returns what breaks it off, silently. */
export function startUnary(
  links: Http2Links,
  { path, keptBytes }: UnaryOptions,
  chunks: readonly Uint8Array[],
  sink: UnarySink,
): () => void {
  const call = new UnaryStream(sink, keptBytes);
  call.stream = links.pick().connection.request(links.headOf(path), chunks, call);
  return () => call.leave();
}

class UnaryStream implements StreamSink {
  stream: Http2Stream | undefined;
  private settled = false;
  private trailing: Headers | undefined;
  private readonly reader: MessageReader;

  constructor(
    private readonly sink: UnarySink,
    keptBytes: number | undefined,
  ) {
    this.reader = new MessageReader(keptBytes === undefined ? ANY : { ...ANY, keptBytes });
  }

  leave(): void {
    this.settled = true;
    this.stream?.reset(ERROR.CANCEL);
  }

  sent(): void {
    if (!this.settled) this.sink.written?.();
  }

  headers(headers: Headers, trailing: boolean): void {
    if (this.settled) return;
    this.trailing = headers;
    if (!trailing) this.head(headers);
  }

  data(bytes: Buffer, from: number, to: number): void {
    if (this.settled) return;
    try {
      this.reader.feed(bytes, from, to);
    } catch (error) {
      this.malformed(messageOf(error));
    }
  }

  ended(): void {
    if (this.settled) return;
    const { reader } = this;
    const trailers = this.trailing!;
    const status = Number(trailers.get('grpc-status') ?? Number.NaN);
    if (!Number.isInteger(status)) this.malformed('the answer has no grpc-status');
    else if (status !== 0 || reader.complete) this.answer(status, trailers);
    else this.malformed('the answer ended before its message was complete');
  }

  broken(code: string, message: string): void {
    if (this.settled) return;
    this.settled = true;
    this.sink.broken(code, message);
  }

  private head(headers: Headers): void {
    this.sink.head();
    // A call that fails at once has its trailers in the head, which ends the stream.
    if (headers.has('grpc-status')) return;
    const status = headers.get(':status');
    if (status !== '200') {
      this.answer(grpcStatusOfHttp(Number(status)), headers);
      this.stream?.reset(ERROR.CANCEL);
    } else if (!headers.get('content-type')?.startsWith('application/grpc'))
      this.malformed(`the answer's content-type is ${headers.get('content-type')}; expected application/grpc`);
  }

  private answer(status: number, trailers: Headers): void {
    this.settled = true;
    this.sink.answered(status, this.reader.message, trailers);
  }

  private malformed(message: string): void {
    this.leave();
    this.sink.broken('malformed', message);
  }
}

const ANY = { maxBytes: Number.POSITIVE_INFINITY };
