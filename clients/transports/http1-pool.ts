import type { Socket } from 'node:net';
import { messageOf } from '../../results/errors.js';
import { MalformedHttp } from '../../servers/protocol/index.js';
import { ResponseReader, type ResponseSink } from './http1-reader.js';
import { openSocket } from './socket.js';

/** One request and what becomes of its answer: `head`, `body`… and `end`, or `failed` at any time; nothing after. */
export interface Exchange<Message = Uint8Array> extends ResponseSink {
  /** The request as its engine wants it: here head and body, whole. */
  readonly message: Message;
  /** Nobody waits for it any more: what has not been sent yet never will be. */
  readonly settled: boolean;
  /** It goes out over this connection; `destroy` breaks it off. */
  sent(connection: { destroy(): void }): void;
  /** Its last byte has been handed to the socket; perhaps told again, and not by every engine. */
  written?(): void;
  end(): void;
  /** `code` is the system's own (`ECONNREFUSED`) where it has one. */
  failed(code: string, message: string): void;
}

/**
 * HTTP/1.1 over a few connections: a request is one write of bytes made before, an answer is read from a buffer that is
 * used again. One request a connection at a time; the others wait, first come first served. Measured in
 * interleaved rounds it costs two thirds of undici's dispatcher for 16 bytes, and less than half for 600 kB, where memory
 * for what is read would keep the collector busy.
 */
export class Http1Pool {
  private readonly idle: Connection[] = [];
  private readonly connections = new Set<Connection>();
  private waiting: Exchange[] = [];
  /** Index of the first that waits: `shift` is slow on thousands. */
  private first = 0;

  /** `origin` is like `http://127.0.0.1:8000`. */
  constructor(
    private readonly origin: URL,
    private readonly maxConnections: number,
  ) {}

  dispatch(exchange: Exchange): void {
    this.waiting.push(exchange);
    this.sendWaiting();
  }

  /** What is under way fails; what waits, too. */
  destroy(): void {
    const { waiting, first } = this;
    this.waiting = [];
    this.first = 0;
    for (const exchange of waiting.slice(first)) exchange.failed('closed', 'the transport was closed');
    for (const connection of this.connections) connection.destroy();
  }

  /** A connection can take the next request. */
  readonly release = (connection: Connection): void => {
    this.idle.push(connection);
  };

  /** A connection is no longer to be used. */
  readonly drop = (connection: Connection): void => {
    this.connections.delete(connection);
    const at = this.idle.indexOf(connection);
    if (at >= 0) this.idle.splice(at, 1);
  };

  readonly sendWaiting = (): void => {
    while (this.first < this.waiting.length) {
      if (!this.waiting[this.first]!.settled) {
        const connection = this.idle.pop() ?? this.open();
        if (connection === undefined) return;
        connection.send(this.waiting[this.first++]!);
      } else this.first++;
      if (this.first === this.waiting.length || this.first === COMPACT_AT) this.compact();
    }
  };

  private compact(): void {
    if (this.first === this.waiting.length) this.waiting.length = 0;
    else this.waiting = this.waiting.slice(this.first);
    this.first = 0;
  }

  private open(): Connection | undefined {
    if (this.connections.size >= this.maxConnections) return undefined;
    const connection = new Connection(this.origin, this);
    this.connections.add(connection);
    return connection;
  }
}

const COMPACT_AT = 4096;
/** All connections read into one piece of memory, which so stays near the processor: what a read brings is used or copied before the next. */
const SHARED = Buffer.allocUnsafeSlow(256 * 1024);

class Connection {
  private exchange: Exchange | undefined;
  private readonly reader = new ResponseReader();
  private readonly socket: Socket;

  constructor(
    origin: URL,
    private readonly pool: Http1Pool,
  ) {
    this.socket = openSocket(origin, (bytes) => this.received(bytes), SHARED);
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.broken(error.code ?? error.name, error.message));
    this.socket.on('end', () => this.ended());
    this.socket.on('close', () => this.broken('ECONNRESET', 'the connection closed before the answer was complete'));
  }

  send(exchange: Exchange): void {
    this.exchange = exchange;
    exchange.sent(this);
    this.socket.write(exchange.message, this.written);
    // The usual: the kernel took all of it at once. Node's own word comes at the end of the turn, after other requests.
    if (this.socket.writableLength === 0) exchange.written?.();
  }

  private readonly written = (): void => this.exchange?.written?.();

  destroy(): void {
    this.socket.destroy();
  }

  private received(bytes: Buffer): void {
    const { exchange } = this;
    try {
      if (exchange === undefined) this.destroy();
      else if (this.reader.feed(bytes, exchange)) this.finish(exchange);
    } catch (error) {
      if (!(error instanceof MalformedHttp)) throw error;
      this.broken('malformed', messageOf(error));
    }
  }

  /** The answer is told before the connection's next request is written: that takes time, which is not this one's. */
  private finish(exchange: Exchange): void {
    this.exchange = undefined;
    // An answer that came before the request was written in full: its rest would stand before the next one.
    if (this.reader.keepAlive && this.socket.writableLength === 0) this.pool.release(this);
    else this.leave();
    exchange.end();
    this.pool.sendWaiting();
  }

  private ended(): void {
    if (this.exchange !== undefined && this.reader.end()) this.finish(this.exchange);
    else this.broken('ECONNRESET', 'the server closed the connection before its answer was complete');
  }

  private broken(code: string, message: string): void {
    const { exchange } = this;
    this.exchange = undefined;
    this.leave();
    exchange?.failed(code, message);
    this.pool.sendWaiting();
  }

  private leave(): void {
    this.pool.drop(this);
    this.destroy();
  }
}
