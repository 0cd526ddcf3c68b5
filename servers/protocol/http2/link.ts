import type { Socket } from 'node:net';
import { type ConnectionOptions, Http2Connection } from './connection.js';
import type { Headers } from './headers.js';
import type { Http2Stream, StreamSink } from './stream.js';
import { ERROR, errorName } from './wire.js';

/** Bytes that may wait for a peer that reads nothing, beside the data that its windows allow. */
const MAX_WAITING = 4 * 1024 ** 2;

const LINGER_MS = 1000;

export interface LinkOptions extends ConnectionOptions {
  readonly request?: (stream: Http2Stream, headers: Headers) => StreamSink;
}

/**
 * A connection on a socket that its owner has opened. All that one turn of the event loop has to send is one write; what has
 * been read is handed in by `received`.
 */
export class Http2Link {
  readonly connection: Http2Connection;
  private scheduled = false;
  private receiving = false;
  private ending = false;
  /** Bytes that the socket has not handed to the kernel. */
  private inFlight = false;
  /** Streams whose last byte is among them. */
  private unsent: Http2Stream[] = [];

  constructor(
    private readonly socket: Socket,
    { request, ...options }: LinkOptions,
  ) {
    const owner = { wake: () => this.wake(), over: () => this.over() };
    this.connection = new Http2Connection(request ? { ...owner, request } : owner, options);
    socket.on('error', (error: NodeJS.ErrnoException) => this.connection.lost(error.code ?? error.name, error.message));
    socket.on('close', () =>
      this.connection.lost('ECONNRESET', 'the connection closed before the answer was complete'),
    );
    this.wake();
  }

  /** Bytes have come; they may be overwritten afterwards. */
  received(bytes: Buffer): void {
    this.receiving = true;
    this.connection.receive(bytes);
    this.receiving = false;
    this.flush();
  }

  /** What is open fails. */
  destroy(): void {
    this.socket.destroy();
  }

  private wake(): void {
    if (this.scheduled || this.receiving) return;
    this.scheduled = true;
    process.nextTick(this.flush);
  }

  private over(): void {
    this.ending = true;
    this.wake();
  }

  private readonly flush = (): void => {
    this.scheduled = false;
    const { connection, socket } = this;
    while (!this.inFlight && connection.writer.bytes > 0 && socket.writable) {
      this.write(connection.writer.take());
      connection.sender.pump();
    }
    if (this.inFlight && connection.writer.bytes > MAX_WAITING) {
      connection.lost(errorName(ERROR.ENHANCE_YOUR_CALM), 'the peer does not read what it asks for');
      socket.destroy();
    }
    if (this.ending && !this.inFlight && !socket.writableEnded) this.end();
  };

  private write(chunks: readonly Uint8Array[]): void {
    const { connection, socket } = this;
    const last = chunks.length - 1;
    const { written } = connection;
    if (written.length > 0) connection.written = [];
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write(chunks[i]!);
    socket.write(chunks[last]!, this.sent);
    if (last > 0) socket.uncork();
    if (socket.writableLength === 0) {
      // The usual: the kernel took all of it at once. Node's own word comes at the end of the turn.
      connection.writer.recycle();
      for (const stream of written) stream.sink.sent?.();
    } else {
      this.inFlight = true;
      connection.sender.blocked = true;
      this.unsent = written;
    }
  }

  /** A peer that keeps its side open is not waited for. */
  private end(): void {
    this.socket.end();
    const timer = setTimeout(() => this.socket.destroy(), LINGER_MS).unref();
    this.socket.once('close', () => clearTimeout(timer));
  }

  private readonly sent = (): void => {
    if (!this.inFlight || this.socket.writableLength > 0) return;
    this.inFlight = false;
    this.connection.sender.blocked = false;
    const { unsent } = this;
    this.unsent = [];
    for (const stream of unsent) stream.sink.sent?.();
    this.connection.sender.pump();
    this.flush();
  };
}
