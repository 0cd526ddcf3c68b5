import { type Dispatcher, Pool } from 'undici';
import {
  connectMs,
  type Upstream,
  type UpstreamListener,
  type UpstreamOptions,
  type UpstreamRequest,
} from './upstream.js';

/** HTTP/1.1 to one replica: connections that are kept alive, one request a connection at a time. */
export class RestUpstream implements Upstream {
  readonly #pool: Pool;

  constructor(url: string, options: UpstreamOptions) {
    this.#pool = new Pool(url, {
      connections: options.connections,
      pipelining: 1,
      connect: { timeout: connectMs(options) },
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

/** Shorter than the 120 s after which our servers close an idle connection. */
const KEEP_ALIVE_MS = 60_000;
