import { Http1Pool } from './http1-pool.js';
import { originOf } from './loopback.js';
import type { HttpEngine } from './rest-transport.js';

/** Our own engine: a request is the bytes of head and body, so that sending is one write. */
export function http1Engine(options: { readonly url: string; readonly connections: number }): HttpEngine<Uint8Array> {
  const origin = new URL(originOf(options.url));
  const pool = new Http1Pool(origin, options.connections);
  return {
    message(method, path, headers, body) {
      const lines = Object.entries({ Host: origin.host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
      return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'), ...body]);
    },
    dispatch: (exchange) => pool.dispatch(exchange),
    destroy: () => pool.destroy(),
  };
}
