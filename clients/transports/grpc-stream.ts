import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import { messageOf } from '../../results/errors.js';
import { MessageReader } from '../../servers/protocol/index.js';
import { grpcStatusOfHttp } from './grpc-names.js';
import { socketError } from './http2-sessions.js';

/** Who hears what becomes of a unary call: `head` at most once, then one of the other two, once. */
export interface UnarySink {
  /** The request's last byte has been handed to the socket; at most once, never after an end. */
  written?(): void;
  head(): void;
  /** The server's word. `message` is the answer, or its beginning, where `status` is 0 (OK). */
  answered(status: number, message: Buffer, trailers: IncomingHttpHeaders): void;
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
  session: ClientHttp2Session,
  { path, keptBytes }: UnaryOptions,
  chunks: readonly Uint8Array[],
  sink: UnarySink,
): () => void {
  const stream = session.request({ ...HEADERS, ':path': path }, STREAM);
  const call = new UnaryStream(session, stream, sink, keptBytes);
  send(stream, chunks);
  return () => call.leave();
}

/** Of the messages that HTTP/2 needs: names and values are the same for every call, so that HPACK makes a byte of each. */
const HEADERS = { ':method': 'POST', te: 'trailers', 'content-type': 'application/grpc' };
const STREAM = { endStream: false };

function send(stream: ClientHttp2Stream, chunks: readonly Uint8Array[]): void {
  const last = chunks.length - 1;
  if (last > 0) {
    stream.cork();
    for (let i = 0; i < last; i++) stream.write(chunks[i]);
  }
  stream.end(chunks[last]);
}

class UnaryStream {
  private settled = false;
  private readonly reader: MessageReader;

  constructor(
    private readonly session: ClientHttp2Session,
    private readonly stream: ClientHttp2Stream,
    private readonly sink: UnarySink,
    keptBytes: number | undefined,
  ) {
    this.reader = new MessageReader(keptBytes === undefined ? ANY : { ...ANY, keptBytes });
    if (sink.written) stream.once('finish', () => this.written());
    stream.on('response', (headers) => this.head(headers));
    stream.on('data', (chunk: Buffer) => this.data(chunk));
    stream.on('trailers', (trailers) => this.trailers(trailers));
    stream.on('error', ignore);
    stream.on('close', () => this.closed());
  }

  leave(): void {
    this.settled = true;
    this.stream.close(constants.NGHTTP2_CANCEL);
  }

  private written(): void {
    if (!this.settled) this.sink.written?.();
  }

  private head(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): void {
    if (this.settled) return;
    this.sink.head();
    // A call that fails at once has its trailers in the head.
    if (headers['grpc-status'] !== undefined) this.trailers(headers);
    else if (headers[':status'] !== 200) this.answer(grpcStatusOfHttp(headers[':status'] ?? 0), headers);
    else if (!headers['content-type']?.startsWith('application/grpc'))
      this.malformed(`the answer's content-type is ${headers['content-type']}; expected application/grpc`);
  }

  private data(chunk: Buffer): void {
    if (this.settled) return;
    try {
      this.reader.feed(chunk);
    } catch (error) {
      this.malformed(messageOf(error));
    }
  }

  private trailers(trailers: IncomingHttpHeaders): void {
    if (this.settled) return;
    const status = Number(trailers['grpc-status'] ?? Number.NaN);
    if (!Number.isInteger(status)) this.malformed('the answer has no grpc-status');
    else if (status !== 0 || this.reader.complete) this.answer(status, trailers);
    else this.malformed('the answer ended before its message was complete');
  }

  private answer(status: number, trailers: IncomingHttpHeaders): void {
    this.settled = true;
    this.sink.answered(status, this.reader.message, trailers);
  }

  private malformed(message: string): void {
    this.leave();
    this.sink.broken('malformed', message);
  }

  private closed(): void {
    if (this.settled) return;
    this.settled = true;
    const error = socketError(this.session);
    const { rstCode } = this.stream;
    if (error) this.sink.broken(error.code ?? error.name, error.message);
    else if (rstCode && rstCode !== constants.NGHTTP2_CANCEL)
      this.sink.broken(RESETS[rstCode] ?? `RST ${rstCode}`, 'the stream was reset');
    else this.sink.broken('ECONNRESET', 'the connection closed before the answer was complete');
  }
}

/** What ends a stream is told at its close. */
function ignore(): void {}

const ANY = { maxBytes: Number.POSITIVE_INFINITY };

/** HTTP/2's error codes. Source: RFC 9113, 7. */
const RESETS = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];
