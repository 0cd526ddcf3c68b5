import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { type Dispatcher, Pool } from 'undici';

/** A request as it goes to a replica. A `body` that is a stream can be sent once only. */
export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer | Readable | null;
}

/** What comes back. After `head` come any number of `data`, then `end`; `broken` ends everything at any time. */
export interface UpstreamListener {
  /** It can be given up from now on. */
  started(control: UpstreamControl): void;
  head(status: number, headers: IncomingHttpHeaders): void;
  data(chunk: Buffer): void;
  end(): void;
  broken(kind: 'connect' | 'reset' | 'timeout', error: Error): void;
}

export interface UpstreamControl {
  abort(): void;
  pause(): void;
  resume(): void;
}

/** Connections to one replica, kept alive; one request a connection at a time. */
export class Upstream {
  readonly #pool: Pool;

  constructor(url: string, { timeoutNs, connections }: { readonly timeoutNs: number; readonly connections: number }) {
    this.#pool = new Pool(url, {
      connections,
      pipelining: 1,
      connect: { timeout: Math.max(1, Math.min(CONNECT_MS, timeoutNs / 1e6)) },
      // The gateway's own: undici's are exact to half a second only.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
    });
  }

  send(request: UpstreamRequest, listener: UpstreamListener): void {
    let connected = false;
    this.#pool.dispatch(
      {
        method: request.method as Dispatcher.HttpMethod,
        path: request.path,
        headers: request.headers as string[],
        body: request.body,
      },
      {
        onRequestStart(controller) {
          connected = true;
          listener.started({
            abort: () => controller.abort(new Error('given up')),
            pause: () => controller.pause(),
            resume: () => controller.resume(),
          });
        },
        onResponseStart: (_controller, status, headers) => listener.head(status, headers),
        onResponseData: (_controller, chunk) => listener.data(chunk),
        onResponseEnd: () => listener.end(),
        onResponseError: (_controller, error: Error) => listener.broken(connected ? 'reset' : 'connect', error),
      },
    );
  }

  close(): void {
    // Its promise tells nothing that the listeners do not hear.
    this.#pool.destroy().catch(() => {});
  }
}

const CONNECT_MS = 5000;
/** Shorter than the 120 s after which our servers close an idle connection. */
const KEEP_ALIVE_MS = 60_000;
