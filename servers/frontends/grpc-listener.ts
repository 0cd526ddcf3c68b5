import { createServer, type Server, type Socket } from 'node:net';
import { nowNs } from '../../results/clock.js';
import { type Headers, Http2Link, type Http2Stream, type StreamSink } from '../protocol/http2/index.js';
import type { FrontendOptions } from './contract.js';
import { readInto } from './http1-socket.js';
import { listenAt } from './listening.js';

/** Streams of one connection at once. */
const MAX_STREAMS = 1000;
/** A connection says its first words within this time, or is closed. */
const PREFACE_MS = 10_000;
/** All connections read into one piece of memory: what a read brings is used or copied before the next one. */
const SHARED: Buffer = Buffer.allocUnsafeSlow(64 * 1024);

export type RequestHandler = (stream: Http2Stream, headers: Headers) => StreamSink;

/** HTTP/2 with prior knowledge (h2c) at an address. */
export class GrpcListener {
  private readonly links = new Set<Http2Link>();
  private readonly server: Server;
  private emptied = (): void => {};

  constructor(
    private readonly options: FrontendOptions,
    private readonly request: RequestHandler,
  ) {
    this.server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.accept(socket));
  }

  /** Resolves to the port. Throws UserError where it cannot listen. */
  listen(): Promise<number> {
    return listenAt(this.server, 'gRPC frontend', this.options.host, this.options.port);
  }

  /** Clients are told to go away (GOAWAY); calls in flight end first. */
  close(): Promise<void> {
    this.server.close();
    return new Promise((resolve) => {
      this.emptied = resolve;
      if (this.links.size === 0) resolve();
      for (const link of this.links) link.connection.goAway();
    });
  }

  private accept(accepted: Socket): void {
    let link: Http2Link | undefined;
    let space: Buffer = SHARED;
    const received = (bytes: Buffer): void => link?.received(bytes);
    const socket = readInto(accepted, {
      space: () => {
        space = link?.connection.space() ?? SHARED;
        return space;
      },
      filled: (length) => received(length === space.length ? space : space.subarray(0, length)),
      given: received,
    });
    link = this.link(socket);
  }

  private link(socket: Socket): Http2Link {
    const link = new Http2Link(socket, {
      request: this.request,
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
      if (this.links.size === 0) this.emptied();
    });
    return link;
  }
}
