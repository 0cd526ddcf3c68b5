import { type AddressInfo, createServer, type Server } from 'node:net';
import { type ConnectionHost, Http1Connection, type HttpExchange, type Timeouts } from './http1-connection.js';
import { readInto } from './http1-socket.js';
import { cannotListen } from './listening.js';

export interface Http1Options {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly maxHeadBytes: number;
  readonly maxBodyBytes: number;
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Called with each request once its body has come; it answers, now or later. Must not throw. */
  readonly handle: (exchange: HttpExchange) => void;
}

/** Idle: longer than any pause of a load generator, for a connection that closes under a request looks like a failed request. */
const TIMEOUTS: Timeouts = { idleMs: 120_000, headMs: 60_000, bodyMs: 300_000, writeMs: 120_000, lingerMs: 2000 };

/**
 * An HTTP/1.1 server on bare sockets: a request is read, answered in one write, and nothing is made for it that lasts.
 * `node:http` makes two streams, their events and a dozen objects for each, which cost three times the rest of it.
 */
export class Http1Server implements ConnectionHost {
  readonly maxHeadBytes: number;
  readonly maxBodyBytes: number;
  readonly handle: (exchange: HttpExchange) => void;
  nowMs = performance.now();
  dateLine = dateLine();
  closing = false;
  private readonly server: Server;
  private readonly connections = new Set<Http1Connection>();
  private readonly timeouts: Timeouts;
  private readonly clock: NodeJS.Timeout;
  private empty: (() => void) | undefined;

  private constructor(options: Http1Options) {
    this.maxHeadBytes = options.maxHeadBytes;
    this.maxBodyBytes = options.maxBodyBytes;
    this.handle = options.handle;
    this.timeouts = { ...TIMEOUTS, ...options.timeouts };
    const shortest = Math.min(...Object.values(this.timeouts));
    this.clock = setInterval(() => this.tick(), Math.min(1000, Math.max(5, shortest / 4)));
    this.clock.unref();
    // Paused: the first byte is read by the socket that takes over.
    this.server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      this.connections.add(new Http1Connection(this, (connection) => readInto(socket, connection)));
    });
  }

  /** Throws UserError where the port can't be had. `place` names it in the message. */
  static start(place: string, options: Http1Options): Promise<Http1Server> {
    const own = new Http1Server(options);
    return new Promise((resolve, reject) => {
      own.server.once('error', (error) => {
        clearInterval(own.clock);
        reject(cannotListen(`${place} at ${options.host}:${options.port}`, error.message, error));
      });
      own.server.listen({ host: options.host, port: options.port, backlog: BACKLOG }, () => resolve(own));
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Stops accepting; resolves when every request that was begun has been answered and every connection is gone. */
  async close(): Promise<void> {
    this.closing = true;
    this.server.close();
    const gone = new Promise<void>((resolve) => {
      this.empty = resolve;
    });
    for (const connection of this.connections) connection.retire();
    if (this.connections.size > 0) await gone;
    clearInterval(this.clock);
  }

  closed(connection: Http1Connection): void {
    this.connections.delete(connection);
    if (this.connections.size === 0) this.empty?.();
  }

  private tick(): void {
    this.nowMs = performance.now();
    this.dateLine = dateLine();
    for (const connection of this.connections) connection.checkTime(this.timeouts);
  }
}

/** Connections that wait to be accepted: a load generator may open hundreds at once. */
const BACKLOG = 1024;

function dateLine(): string {
  return `Date: ${new Date().toUTCString()}\r\n`;
}
