import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

/** What carries requests to one replica. */
export interface Upstream {
  send(request: UpstreamRequest, listener: UpstreamListener): void;
  /** What is under way there breaks. */
  close(): void;
}

/** A request as it goes to a replica. A `body` that is a stream can be sent once only. */
export interface UpstreamRequest {
  readonly protocol: 'rest' | 'grpc';
  readonly method: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer | Readable | null;
}

/**
 * What comes back. After `head` come any number of `data`, then `end`; `broken` ends everything at any time. A status is one of
 * HTTP: what gRPC says is told in HTTP's numbers.
 */
export interface UpstreamListener {
  /** It can be given up from now on. */
  started(control: UpstreamControl): void;
  head(status: number, headers: IncomingHttpHeaders): void;
  data(chunk: Buffer): void;
  /** With trailers, where the protocol has them: they say how it went. */
  end(trailers?: Trailers): void;
  broken(kind: 'connect' | 'reset' | 'timeout', error: Error): void;
}

export interface Trailers {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

export interface UpstreamControl {
  abort(): void;
  pause(): void;
  resume(): void;
}

export interface UpstreamOptions {
  readonly timeoutNs: number;
  /** Requests under way at once over HTTP/1.1; HTTP/2 carries many on one connection. */
  readonly connections: number;
}

/** Until a connection counts as failed. */
export function connectMs({ timeoutNs }: UpstreamOptions): number {
  return Math.max(1, Math.min(MOST_CONNECT_MS, timeoutNs / 1e6));
}

const MOST_CONNECT_MS = 5000;
