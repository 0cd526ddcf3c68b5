import { type AddressInfo, createServer, type Server, Socket } from 'node:net';
import { nowNs } from '../../results/clock.js';
import { type Headers, Http2Link, type Http2Stream, type StreamSink } from '../protocol/http2/index.js';
import type { FrontendOptions } from './contract.js';
import { cannotListen } from './listening.js';

/** Streams of one connection at once. */
const MAX_STREAMS = 1000;
/** A connection says its first words within this time, or is closed. */
const PREFACE_MS = 10_000;
const READ_BYTES = 64 * 1024;

export type RequestHandler = (stream: Http2Stream, headers: Headers) => StreamSink;

/** HTTP/2 with prior knowledge (h2c) at an address. */
export class GrpcListener {
  private readonly links = new Set<Http2Link>();
  private readonly server: Server;

  constructor(
    private readonly options: FrontendOptions,
    private readonly request: RequestHandler,
  ) {
    this.server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.accept(socket));
  }

  /** Resolves to the port. Throws UserError where it cannot listen. */
  listen(): Promise<number> {
    const { host, port } = this.options;
    return new Promise((resolve, reject) => {
      this.server.once('error', (error) =>
        reject(cannotListen(`gRPC frontend at ${host}:${port}`, error.message, error)),
      );
      this.server.listen({ host, port }, () => resolve((this.server.address() as AddressInfo).port));
    });
  }

  /** Clients are told to go away (GOAWAY); calls in flight end first. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      for (const link of this.links) link.connection.goAway();
    });
  }

  private accept(accepted: Socket): void {
    const { request } = this;
    const socket = readingInto(Buffer.allocUnsafeSlow(READ_BYTES), accepted, (bytes) => link.received(bytes));
    const link = new Http2Link(socket, {
      request,
      maxHeaderBytes: this.options.limits.maxHeaderBytes,
      maxStreams: MAX_STREAMS,
      nowNs,
    });
    this.links.add(link);
    const silent = setTimeout(() => {
      if (!link.connection.begun) link.destroy();
    }, PREFACE_MS).unref();
    socket.once('close', () => {
      clearTimeout(silent);
      this.links.delete(link);
    });
  }
}

/**
 * The accepted connection as a socket that reads into `buffer` each time. Node offers this to sockets that connect
 * (`onread`), not to those that a server accepts, for which it takes fresh memory at each read, 64 kB that the collector must
 * find again. So its handle is given to a socket of our own; where a version of node keeps the handle elsewhere, the accepted
 * socket is used as it is, and only costs more.
 */
function readingInto(buffer: Buffer, accepted: Socket, received: (bytes: Buffer) => void): Socket {
  const owner = accepted as unknown as { _handle?: { useUserBuffer?: unknown } | null };
  const handle = owner._handle;
  if (typeof handle?.useUserBuffer !== 'function') {
    accepted.on('data', received);
    return accepted;
  }
  owner._handle = null;
  const onread = {
    buffer,
    callback: (length: number): boolean => {
      received(buffer.subarray(0, length));
      return true;
    },
  };
  const socket = new Socket({ handle, onread } as unknown as ConstructorParameters<typeof Socket>[0]);
  // The server counts the accepted one.
  socket.once('close', () => accepted.destroy());
  socket.resume();
  return socket;
}
