import { type Dispatcher, Pool } from 'undici';
import { INFER_HEADER } from '../../servers/protocol/index.js';
import type { Exchange } from './http1-pool.js';
import { originOf } from './loopback.js';
import type { HttpEngine } from './rest-transport.js';

type Message = Pick<Dispatcher.DispatchOptions, 'method' | 'path' | 'headers' | 'body'>;

/** undici's dispatcher: one request a connection at a time, and no timeouts of its own, which would come before ours. */
export function undiciEngine(options: { readonly url: string; readonly connections: number }): HttpEngine<Message> {
  const pool = new Pool(originOf(options.url), {
    connections: options.connections,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  return {
    message: (method, path, headers, body) => ({
      method,
      path,
      headers,
      body: method === 'GET' ? null : Buffer.concat(body),
    }),
    dispatch: (exchange) => {
      pool.dispatch(exchange.message, handlerOf(exchange));
    },
    destroy: () => {
      // Its promise tells nothing that the exchanges do not hear.
      pool.destroy().catch(() => {});
    },
  };
}

const KEEP_ALIVE_MS = 120_000;
const INFER_KEY = INFER_HEADER.toLowerCase();

function handlerOf(exchange: Exchange<Message>): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      const destroy = () => controller.abort(new Error('nobody waits for it'));
      // It has been given up while it waited for a connection.
      if (exchange.settled) destroy();
      else exchange.sent({ destroy });
    },
    onResponseStart(_controller, status, headers) {
      const length = headers[INFER_KEY];
      exchange.head(status, length === undefined ? '' : `${INFER_HEADER}: ${length}`);
    },
    onResponseData(_controller, chunk) {
      exchange.body(chunk);
    },
    onResponseEnd() {
      exchange.end();
    },
    onResponseError(_controller, error: NodeJS.ErrnoException) {
      exchange.failed(error.code ?? error.name, error.message);
    },
  };
}
