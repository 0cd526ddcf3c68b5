import { ChunkedBody, HEAD_END, LINE_END, MalformedHttp } from '../../servers/protocol/index.js';

/** Who hears what a response says. */
export interface ResponseSink {
  /** `text`: status line and headers, latin1, without the empty line. */
  head(status: number, text: string): void;
  /** A piece of the body: a view that is only good during the call. */
  body(bytes: Buffer): void;
}

const MAX_HEAD_BYTES = 64 * 1024;
const EMPTY = Buffer.alloc(0);

/**
 * Reads one HTTP/1.x response after the other from a connection's bytes. Bodies of announced length, in chunks, or up to the
 * end of the connection; interim responses (1xx) are passed over. Source: RFC 9112.
 */
export class ResponseReader {
  /** Whether the server keeps the connection for the next request, as the last head said. */
  keepAlive = false;
  private step: Step = this.readHead;
  /** Bytes of the body that are still to come. */
  private left = 0;
  private chunks = new ChunkedBody();
  /** What came of a head or line that is not complete. */
  private rest = EMPTY;

  /** Bytes as they come. True once the response is complete. Throws MalformedHttp. */
  feed(bytes: Buffer, sink: ResponseSink): boolean {
    const input = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    let at = 0;
    while (at < input.length || this.step === COMPLETE) {
      if (this.step === COMPLETE) return this.complete(at === input.length);
      const next = this.step(input, at, sink);
      if (next < 0) break;
      at = next;
    }
    if (this.step === COMPLETE) return this.complete(true);
    this.rest = at < input.length ? Buffer.from(input.subarray(at)) : EMPTY;
    return false;
  }

  /** The connection has ended. True where that completes the response. */
  end(): boolean {
    return this.step === this.readToEnd;
  }

  /** Ready for the next response. Bytes that nobody asked for mean that the two sides disagree: not kept. */
  private complete(nothingLeft: boolean): true {
    this.step = this.readHead;
    this.rest = EMPTY;
    this.keepAlive &&= nothingLeft;
    return true;
  }

  private readHead(input: Buffer, at: number, sink: ResponseSink): number {
    const end = input.indexOf(HEAD_END, at);
    if (end < 0 && input.length - at > MAX_HEAD_BYTES)
      throw new MalformedHttp(`the head exceeds ${MAX_HEAD_BYTES} bytes`);
    if (end < 0) return -1;
    const text = input.toString('latin1', at, end);
    const status = statusOf(text);
    if (status >= 200) {
      sink.head(status, text);
      this.step = this.framing(status, text);
    }
    return end + HEAD_END.length;
  }

  private framing(status: number, text: string): Step {
    const headers = framingHeaders(text);
    this.keepAlive = headers.keepAlive;
    this.left = headers.length;
    if (status === 204 || status === 304) return COMPLETE;
    if (headers.chunked) {
      this.chunks = new ChunkedBody();
      return this.readChunked;
    }
    if (headers.length === 0) return COMPLETE;
    if (headers.length > 0) return this.readSized;
    this.keepAlive = false;
    return this.readToEnd;
  }

  private readSized(input: Buffer, at: number, sink: ResponseSink): number {
    const end = this.take(input, at, sink);
    if (this.left === 0) this.step = COMPLETE;
    return end;
  }

  private readToEnd(input: Buffer, at: number, sink: ResponseSink): number {
    sink.body(at === 0 ? input : input.subarray(at));
    return input.length;
  }

  private readChunked(input: Buffer, at: number, sink: ResponseSink): number {
    const next = this.chunks.read(input, at, sink);
    if (this.chunks.complete) this.step = COMPLETE;
    return next;
  }

  /** Hands on as much of the body as has come. */
  private take(input: Buffer, at: number, sink: ResponseSink): number {
    const end = Math.min(input.length, at + this.left);
    sink.body(input.subarray(at, end));
    this.left -= end - at;
    return end;
  }
}

/** Reads on from `at`; returns where the next step begins, or −1 where more bytes are needed. */
type Step = (this: ResponseReader, input: Buffer, at: number, sink: ResponseSink) => number;

const COMPLETE: Step = () => -1;

function statusOf(head: string): number {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head);
  if (status === null) throw new MalformedHttp(`not an HTTP/1.1 response: ${JSON.stringify(head.slice(0, 40))}`);
  return Number(status[1]);
}

/** What the headers say of the body's end and the connection's. `length` is −1 where it is not announced. */
function framingHeaders(head: string): { length: number; chunked: boolean; keepAlive: boolean } {
  let length = -1;
  let chunked = false;
  let keepAlive = head.startsWith('HTTP/1.1');
  for (let line = head.indexOf(LINE_END); line >= 0; ) {
    const start = line + LINE_END.length;
    line = head.indexOf(LINE_END, start);
    const colon = head.indexOf(':', start);
    // Most headers are told apart by the length of their name alone.
    const size = colon - start;
    if (size !== 10 && size !== 14 && size !== 17) continue;
    const name = head.slice(start, colon).toLowerCase();
    const value = head.slice(colon + 1, line < 0 ? undefined : line).trim();
    if (name === 'content-length') length = contentLength(value);
    else if (name === 'transfer-encoding') chunked = /\bchunked$/i.test(value);
    else if (name === 'connection')
      keepAlive = /\bkeep-alive\b/i.test(value) || (keepAlive && !/\bclose\b/i.test(value));
  }
  return { length, chunked, keepAlive };
}

function contentLength(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new MalformedHttp(`Content-Length is ${JSON.stringify(value)}`);
}
