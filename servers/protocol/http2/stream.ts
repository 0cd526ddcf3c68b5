import type { Headers } from './headers.js';
import type { Field } from './hpack-static.js';
import { ReceiveWindow } from './receive-window.js';

/** A tensor of some MB comes without waiting for permission after each 64 KiB, HTTP/2's own window. */
export const STREAM_WINDOW_BYTES = 4 * 1024 ** 2;

/** Who hears what the peer says on a stream. Bytes are good during the call only. */
export interface StreamSink {
  /** A response's head; or, on either side, what follows the data. A request's head has been told before. */
  headers(headers: Headers, trailing: boolean): void;
  data(bytes: Buffer, from: number, to: number): void;
  /** Where the next content may be read to, up to `bytes` of it; it is told by `data` all the same. */
  space?(bytes: number): Buffer | undefined;
  /** The peer has ended its side. */
  ended(): void;
  /** The stream has ended otherwise: reset by the peer (`code` by name), or with its connection. Nothing more comes. */
  broken(code: string, message: string): void;
  /** Our side's last byte has been handed to the socket. */
  sent?(): void;
}

/** What a stream needs of its connection. */
export interface StreamHost {
  sendHeaders(stream: Http2Stream, fields: readonly Field[], once: readonly Field[], end: boolean): void;
  /** Something has been put into the stream's queue. */
  sendQueued(stream: Http2Stream): void;
  reset(stream: Http2Stream, code: number): void;
}

/** One stream: what its owner may do, and the state that the connection keeps of it. */
export class Http2Stream {
  closed = false;
  localDone = false;
  remoteDone = false;
  /** The peer's head has come. */
  headed = false;
  /** Bytes that the peer announced and has not sent; NaN where it did not. */
  announced = Number.NaN;
  readonly outgoing = new Outgoing();
  readonly receiveWindow = new ReceiveWindow(STREAM_WINDOW_BYTES);

  constructor(
    readonly host: StreamHost,
    public id: number,
    public sink: StreamSink,
    public sendWindow: number,
  ) {}

  /** Our head. `fields`: a list that is sent often, the same object each time. `once`: those of this message only. */
  headers(fields: readonly Field[], once: readonly Field[] = NONE, end = false): void {
    if (!this.closed && !this.localDone) this.host.sendHeaders(this, fields, once, end);
  }

  /** Chunks must not change until they have been sent. */
  data(chunks: readonly Uint8Array[]): void {
    if (this.closed || this.localDone) return;
    this.outgoing.add(chunks);
    this.host.sendQueued(this);
  }

  /** The last of our side. */
  end(chunks: readonly Uint8Array[]): void {
    this.outgoing.ending = true;
    this.data(chunks);
  }

  /** As `end`, with headers behind the data. */
  endWith(chunks: readonly Uint8Array[], fields: readonly Field[], once: readonly Field[] = NONE): void {
    this.outgoing.trailers = { fields, once };
    this.end(chunks);
  }

  /** Breaks it off; the sink hears no more. */
  reset(code: number): void {
    if (!this.closed) this.host.reset(this, code);
  }
}

const NONE: readonly Field[] = [];

/** What a stream has still to send. */
class Outgoing {
  bytes = 0;
  /** Nothing comes behind what is here. */
  ending = false;
  trailers: { readonly fields: readonly Field[]; readonly once: readonly Field[] } | undefined;
  /** It stands in the connection's line. */
  waits = false;
  private chunks: Uint8Array[] = [];
  private first = 0;
  /** Bytes of the first chunk that have been sent. */
  private sent = 0;

  add(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      this.chunks.push(chunk);
      this.bytes += chunk.length;
    }
  }

  /** Hands on the next `count` bytes. */
  move(count: number, put: { put(chunk: Uint8Array, from: number, to: number): void }): void {
    this.bytes -= count;
    for (let left = count; left > 0; ) {
      const chunk = this.chunks[this.first]!;
      const end = Math.min(chunk.length, this.sent + left);
      put.put(chunk, this.sent, end);
      left -= end - this.sent;
      this.sent = end;
      if (end < chunk.length) continue;
      this.first++;
      this.sent = 0;
    }
    if (this.bytes > 0) return;
    this.chunks = [];
    this.first = 0;
  }
}
