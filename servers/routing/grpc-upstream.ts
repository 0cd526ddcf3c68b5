import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { httpOfGrpc } from './grpc-statuses.js';
import {
  connectMs,
  type Upstream,
  type UpstreamListener,
  type UpstreamOptions,
  type UpstreamRequest,
} from './upstream.js';

/** gRPC to one replica over HTTP/2: the bytes of messages as they are, undecoded. Connections are opened when they are needed. */
export class GrpcUpstream implements Upstream {
  readonly #connections: Connection[] = [];
  readonly #most: number;

  constructor(
    private readonly authority: string,
    private readonly options: UpstreamOptions,
  ) {
    this.#most = Math.max(1, Math.ceil(options.connections / STREAMS));
  }

  send(request: UpstreamRequest, listener: UpstreamListener): void {
    this.#connection().send(request, listener);
  }

  close(): void {
    for (const connection of this.#connections) connection.session.destroy();
  }

  /** The first one with room; where none has any, another one; where there are enough, the least busy. */
  #connection(): Connection {
    const open = this.#connections.filter(({ session }) => !session.closed && !session.destroyed);
    this.#connections.splice(0, Infinity, ...open);
    const withRoom = open.find(({ streams }) => streams < STREAMS);
    if (withRoom) return withRoom;
    if (open.length === this.#most) return open.reduce((a, b) => (b.streams < a.streams ? b : a));
    const opened = new Connection(this.authority, connectMs(this.options));
    this.#connections.push(opened);
    return opened;
  }
}

/** On one connection: what HTTP/2 recommends servers to allow at least. Source: RFC 9113, 6.5.2. */
const STREAMS = 100;
/** Tensors of some MB pass without waiting for permission after each 64 kB. */
const WINDOW_BYTES = 4 * 1024 ** 2;
const SESSION_WINDOW_BYTES = 16 * 1024 ** 2;
const SESSION_OPTIONS = {
  settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
  maxSessionMemory: 4096,
};

class Connection {
  readonly session: ClientHttp2Session;
  streams = 0;
  #connected = false;
  #error: Error | undefined;

  constructor(authority: string, timeoutMs: number) {
    const { hostname, port } = new URL(`http://${authority}`);
    const socket = connectSocket({ host: hostname, port: Number(port), noDelay: true });
    const late = setTimeout(() => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
    // Ahead of node's own listener: its streams hear only that they were closed.
    socket.once('error', (error) => {
      this.#error = error;
    });
    socket.once('close', () => clearTimeout(late));
    this.session = connect(`http://${authority}`, { ...SESSION_OPTIONS, createConnection: () => socket });
    this.session.once('connect', () => {
      clearTimeout(late);
      this.#connected = true;
      this.session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    });
    this.session.on('error', ignore);
  }

  send({ method, path, headers, body }: UpstreamRequest, listener: UpstreamListener): void {
    const outgoing: Record<string, string> = { ':method': method, ':path': path, te: 'trailers' };
    for (let i = 0; i < headers.length; i += 2) outgoing[headers[i]!] = headers[i + 1]!;
    const stream = this.session.request(outgoing, { endStream: body === null });
    this.streams++;
    stream.once('close', () => this.streams--);
    listener.started({
      abort: () => stream.close(constants.NGHTTP2_CANCEL),
      pause: () => stream.pause(),
      resume: () => stream.resume(),
    });
    hear(stream, listener, (error) => {
      const kind = this.#connected ? 'reset' : 'connect';
      listener.broken(kind, this.#error ?? error ?? new Error(`stream closed with code ${stream.rstCode}`));
    });
    if (body === null) return;
    if (Buffer.isBuffer(body)) stream.end(body);
    else body.pipe(stream);
  }
}

/**
 * A head is told with the first byte of a message: an answer that has none is an error, whose head and trailers count as one and
 * which may still be tried elsewhere.
 */
function hear(stream: ClientHttp2Stream, listener: UpstreamListener, broken: (error?: Error) => void): void {
  let head: IncomingHttpHeaders = {};
  let http: number | undefined;
  let trailers: IncomingHttpHeaders | undefined;
  let told = false;
  let over = false;
  let error: Error | undefined;
  const tell = (last: IncomingHttpHeaders) => {
    told = true;
    const headers = { ...head, ...last };
    listener.head(http === 200 ? statusOf(headers) : http!, headers);
  };
  stream.once('response', (headers) => {
    head = headers;
    http = Number(headers[':status']);
  });
  stream.on('data', (chunk: Buffer) => {
    if (!told) tell({});
    listener.data(chunk);
  });
  stream.once('trailers', (headers) => {
    trailers = headers;
  });
  stream.once('end', () => {
    // Node ends the readable side of a stream that was reset, too: only a status says that an answer is whole.
    if (http === undefined || (http === 200 && !trailers && head['grpc-status'] === undefined)) return;
    over = true;
    if (!told) {
      tell(trailers ?? {});
      listener.end();
    } else listener.end(trailers && { status: statusOf(trailers), headers: trailers });
  });
  stream.on('error', (found) => {
    error = found;
  });
  stream.once('close', () => {
    if (!over) broken(error);
  });
}

/** Without a word of how it went an answer with messages is on its way. */
function statusOf(headers: IncomingHttpHeaders): number {
  const status = headers['grpc-status'];
  return status === undefined ? 200 : httpOfGrpc(Number(status));
}

const ignore = (): void => {};
