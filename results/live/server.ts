import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { UserError } from '../errors.js';
import { systemCode } from '../files.js';
import type { LiveEvent } from './events.js';
import { History } from './history.js';
import { livePage } from './page.js';

export interface LiveServer {
  readonly url: string;
  tell(event: LiveEvent): void;
  /**
   * Tells the end and hands the report (its text, where there is one) to the pages that are open, which keep it; then closes.
   * Waits at most two seconds for them.
   */
  end(event: Extract<LiveEvent, { kind: 'end' }>, report: string | undefined): Promise<void>;
}

/**
 * Serves the page on loopback. Events are sent in batches, at most ten a second to a client; one that does not read is dropped
 * and gets the whole history when it comes back. Throws UserError where the port is taken.
 */
export async function startLiveServer(title: string, port = 0): Promise<LiveServer> {
  const hub = new Hub();
  let report: string | undefined;
  const routes: Readonly<Record<string, (response: ServerResponse) => void>> = {
    '/': (response) => send(response, 'text/html', livePage(title)),
    '/events': (response) => hub.join(response),
    '/uplot.js': (response) => send(response, 'text/javascript', asset('uPlot.iife.min.js')),
    '/uplot.css': (response) => send(response, 'text/css', asset('uPlot.min.css')),
    '/report': (response) => {
      if (report === undefined) return refuse(response, 404, 'there is no report yet');
      send(response, 'text/html', report);
      hub.served();
    },
  };
  const server = createServer((request, response) => {
    const route = routes[request.url ?? ''];
    if (!isLocal(request)) refuse(response, 403, 'this page is for this machine only');
    else if (request.method !== 'GET' || !route) refuse(response, 404, 'there is no such page');
    else route(response);
  });
  await listen(server, port);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    tell: (event) => hub.tell(event),
    async end(event, text) {
      report = text;
      await hub.end(event, text !== undefined);
      server.close();
      server.closeAllConnections();
    },
  };
}

const PERIOD_MS = 100;
const PATIENCE_MS = 2000;
/** Bytes that may wait for a client. */
const MOST_WAITING = 1 << 20;

/** The clients of the event stream. */
class Hub {
  readonly #history = new History();
  readonly #clients = new Set<ServerResponse>();
  #pending: LiveEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #left = Number.POSITIVE_INFINITY;
  #allServed: () => void = () => {};

  tell(event: LiveEvent): void {
    this.#history.add(event);
    if (this.#clients.size === 0) return;
    this.#pending.push(event);
    this.#timer ??= setTimeout(() => this.#flush(), PERIOD_MS);
  }

  join(response: ServerResponse): void {
    this.#flush();
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream; charset=utf-8' });
    response.write(message('history', this.#history.events));
    this.#clients.add(response);
    response.on('close', () => {
      if (this.#clients.delete(response)) this.served();
    });
  }

  /** One client has what it needs of the end. */
  served(): void {
    if (--this.#left <= 0) this.#allServed();
  }

  async end(event: LiveEvent, withReport: boolean): Promise<void> {
    const open = this.#clients.size;
    this.tell(event);
    this.#flush();
    if (open > 0 && withReport) {
      this.#left = open;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, PATIENCE_MS);
        this.#allServed = () => {
          clearTimeout(timer);
          // What has been written is on its way when the event loop has turned.
          setImmediate(resolve);
        };
      });
    }
    this.#left = Number.POSITIVE_INFINITY;
    for (const client of this.#clients) client.end();
    this.#clients.clear();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.length === 0) return;
    const text = message('events', this.#pending);
    this.#pending = [];
    for (const client of this.#clients) {
      if (client.writableLength > MOST_WAITING) client.destroy();
      else client.write(text);
    }
  }
}

function message(kind: 'history' | 'events', events: readonly LiveEvent[]): string {
  return `event: ${kind}\ndata: ${JSON.stringify(events)}\n\n`;
}

const HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy':
    "default-src 'none'; connect-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src data:",
};

function send(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { ...HEADERS, 'content-type': `${type}; charset=utf-8` });
  response.end(body);
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

/** A page elsewhere may make a browser ask this server under a name of its own: only our own names are answered. */
function isLocal({ headers: { host = '' } }: IncomingMessage): boolean {
  return /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host);
}

function asset(file: string): string {
  const folder = dirname(createRequire(import.meta.url).resolve('uplot'));
  return readFileSync(join(folder, file), 'utf8');
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (systemCode(error) !== 'EADDRINUSE') return reject(error);
      reject(
        new UserError({
          place: '--ui-port',
          found: `port ${port} is taken`,
          remedy: 'Name another port, or leave it out: a free one is taken',
        }),
      );
    });
    server.listen(port, '127.0.0.1', () => {
      // A page that stays open must not keep the program alive.
      server.unref();
      resolve();
    });
  });
}
