import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Sink } from './exchange.js';
import type { Collector } from './mirror.js';
import type { UpstreamControl } from './upstream.js';

/** Which replica answered. */
export const REPLICA_HEADER = 'servemark-replica';

/** Hands an answer on to the client as it comes; where the client reads slowly, the replica waits. */
export class ClientSink implements Sink {
  #control: UpstreamControl | undefined;
  #length: number | undefined;

  constructor(
    private readonly response: ServerResponse,
    /** Where the answer is compared with that to a copy. */
    private readonly collector: Collector | undefined,
  ) {}

  head(status: number, headers: IncomingHttpHeaders, replica: string, control: UpstreamControl): void {
    this.#control = control;
    this.collector?.head(status, headers);
    const length = headers['content-length'];
    this.#length = length === undefined ? undefined : Number(length);
    this.response.writeHead(status, [...endToEnd(headers), REPLICA_HEADER, replica]);
  }

  data(chunk: Buffer): void {
    this.collector?.data(chunk);
    const { response } = this;
    // All of it in one piece: head and body leave in one write.
    if (chunk.length === this.#length) response.end(chunk);
    else if (!response.write(chunk)) {
      this.#control?.pause();
      response.once('drain', () => this.#control?.resume());
    }
  }

  end(): void {
    if (!this.response.writableEnded) this.response.end();
    this.collector?.end(undefined);
  }

  refused(status: number, reason: string, message: string): void {
    const { response } = this;
    // What the client is still sending is read and forgotten, so that it sees the answer.
    response.req.resume();
    if (response.headersSent || response.destroyed) return;
    const body = Buffer.from(JSON.stringify({ error: message, reason }));
    response.writeHead(status, ['Content-Type', 'application/json', 'Content-Length', String(body.length)]);
    response.end(body);
  }

  /** Only the end of the connection tells that the answer is not whole. */
  cut(): void {
    this.response.destroy();
  }
}

/** Headers that belong to one connection. Source: RFC 9110, section 7.6.1. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function endToEnd(headers: IncomingHttpHeaders): string[] {
  const pairs: string[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || HOP_BY_HOP.has(name)) continue;
    if (typeof value === 'string') pairs.push(name, value);
    else for (const each of value) pairs.push(name, each);
  }
  return pairs;
}

/** The headers of a request as they go on; the length of a body that is held is told anew. */
export function forwardedHeaders(raw: readonly string[], held: boolean): string[] {
  const pairs: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (HOP_BY_HOP.has(name) || name === 'host' || name === 'expect' || (held && name === 'content-length')) continue;
    pairs.push(raw[i]!, raw[i + 1]!);
  }
  return pairs;
}
