import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { nowNs } from '../../results/clock.js';
import type { GatewayCounts } from '../../results/gateway.js';
import { FastRandom } from '../../results/stats/random.js';
import { DEFAULT_LIMITS } from '../frontends/index.js';
import { cannotListen } from '../frontends/listening.js';
import { collectBody } from '../frontends/rest-body.js';
import { ClientSink, forwardedHeaders } from './client-sink.js';
import type { GatewaySpec, ReplicaSpec, RouteChoice } from './contract.js';
import { type Core, Exchange, type Forwarded } from './exchange.js';
import { gatewayMetrics } from './metrics.js';
import { Mirror } from './mirror.js';
import { Pins } from './pins.js';
import { Pool } from './pool.js';
import { createRoute } from './registry.js';
import { Upstream } from './upstream.js';

/** A gateway that answers. */
export interface Gateway {
  readonly url: string;
  /** Requests may go there from now on. */
  join(pool: string, replica: ReplicaSpec): void;
  /** Nothing more goes there; resolves when nothing is under way. */
  leave(pool: string, name: string): Promise<void>;
  counts(): GatewayCounts;
  close(): Promise<void>;
}

/** Opens a reverse proxy for HTTP/1.1. Throws UserError where the port or the route's options are wrong. */
export async function startGateway(spec: GatewaySpec): Promise<Gateway> {
  const proxy = new ReverseProxy(spec);
  const server = createServer({
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
    maxHeaderSize: DEFAULT_LIMITS.maxHeaderBytes,
  });
  server.on('request', (request, response) => proxy.receive(request, response));
  const host = spec.host ?? '127.0.0.1';
  const port = await listen(server, host, spec.port);
  return {
    url: `http://${host}:${port}`,
    join: (pool, replica) => proxy.join(pool, replica),
    leave: (pool, name) => proxy.leave(pool, name),
    counts: () => proxy.counts(),
    close: () => close(server, proxy),
  };
}

/** As the frontends: a connection that closes under a request looks like a failed request. */
const KEEP_ALIVE_MS = 120_000;

class ReverseProxy implements Core {
  readonly balancing: GatewaySpec['balancing'];
  readonly route: Core['route'];
  retries = 0;
  refused = 0;
  #requests = 0;
  readonly #start = nowNs();
  readonly #routeName: string;
  readonly #random: FastRandom;
  readonly #pools: ReadonlyMap<string, Pool<Upstream>>;
  readonly #pins = new WeakMap<Socket, Pins<Upstream>>();
  readonly #held = new Set<Exchange>();
  readonly #mirror: Mirror;

  constructor({ balancing, pools, route, seed }: GatewaySpec) {
    this.balancing = balancing;
    this.route = createRoute(route.name, route.options, pools);
    this.#routeName = route.name;
    this.#random = new FastRandom(seed);
    this.#pools = new Map(pools.map((name) => [name, new Pool<Upstream>(name, balancing)]));
    this.#mirror = new Mirror(this, balancing.maxBuffered);
  }

  now(): number {
    return nowNs() - this.#start;
  }

  draws(): number[] {
    return [this.#random.next32() / 2 ** 32, this.#random.next32() / 2 ** 32];
  }

  hold(exchange: Exchange): boolean {
    if (this.#held.size >= this.balancing.maxHeld) return false;
    this.#held.add(exchange);
    return true;
  }

  drop(exchange: Exchange): void {
    this.#held.delete(exchange);
  }

  join(poolName: string, replica: ReplicaSpec): void {
    const pool = this.#pools.get(poolName)!;
    const { timeout, maxConnections } = this.balancing;
    pool.join(replica, new Upstream(replica.url, { timeoutNs: timeout, connections: maxConnections }), this.now());
    for (const exchange of [...this.#held]) {
      if (exchange.pool !== pool) continue;
      this.#held.delete(exchange);
      exchange.start();
    }
  }

  leave(pool: string, name: string): Promise<void> {
    return new Promise((resolve) => {
      this.#pools.get(pool)!.leave(name, this.now(), (upstream) => {
        // Its last answer is still being handed on.
        setImmediate(() => upstream?.close());
        resolve();
      });
    });
  }

  counts(): GatewayCounts {
    const now = this.now();
    return {
      atNs: now,
      requests: this.#requests,
      retries: this.retries,
      refused: this.refused,
      held: this.#held.size,
      pools: [...this.#pools.values()].map((pool) => pool.counts(now)),
      route: { name: this.#routeName, ...this.route.status() },
      mirror: this.route.maxMirrored === undefined ? null : this.#mirror.counts(),
    };
  }

  receive(request: IncomingMessage, response: ServerResponse): void {
    request.on('error', ignore);
    response.on('error', ignore);
    if (request.url === '/metrics') void this.#tellMetrics(response);
    else this.#forward(request, response);
  }

  async #tellMetrics(response: ServerResponse): Promise<void> {
    const text = await gatewayMetrics(this.counts());
    response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4' }).end(text);
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const user = request.headers[this.balancing.userHeader] as string | undefined;
    this.#requests++;
    const choice = this.route.choose(user ?? `#${this.#requests}`, this.now());
    this.#pools.get(choice.pool)!.chosen(user);
    const length = request.headers['content-length'];
    const hasBody = length !== undefined || request.headers['transfer-encoding'] !== undefined;
    if (!hasBody) this.#send(request, response, choice, null);
    else if (Number(length) <= this.balancing.maxBuffered)
      collectBody(request, this.balancing.maxBuffered, (_error, body) => this.#send(request, response, choice, body));
    else {
      if (choice.mirror !== undefined) this.#mirror.tooLarge();
      const { mirror: _none, ...alone } = choice;
      // Between the two: what goes wrong at the replica must not cut the client off before it is told.
      this.#send(request, response, alone, request.pipe(new PassThrough()).on('error', ignore));
    }
  }

  #send(request: IncomingMessage, response: ServerResponse, choice: RouteChoice, body: Forwarded['body']): void {
    const forwarded: Forwarded = {
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: forwardedHeaders(request.rawHeaders, body === null || Buffer.isBuffer(body)),
      body,
      client: request.socket.remoteAddress ?? '',
    };
    const comparison =
      choice.mirror === undefined ? undefined : this.#mirror.copy(this.#pools.get(choice.mirror)!, forwarded);
    const sink = new ClientSink(response, comparison, this.balancing.maxBuffered);
    const exchange = new Exchange(this, this.#pools.get(choice.pool)!, forwarded, sink, this.#pinsOf(request.socket));
    response.once('close', () => {
      if (!response.writableFinished) exchange.abandon();
    });
    exchange.start();
  }

  #pinsOf(socket: Socket): Pins<Upstream> | undefined {
    if (this.balancing.level === 'request') return undefined;
    const known = this.#pins.get(socket);
    if (known) return known;
    const pins = new Pins<Upstream>(() => this.now());
    this.#pins.set(socket, pins);
    socket.once('close', () => pins.close());
    return pins;
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(`gateway at ${host}:${port}`, error.message, error)));
    server.listen({ host, port }, () => resolve((server.address() as AddressInfo).port));
  });
}

/** What is under way may end; then idle connections are closed. */
function close(server: Server, proxy: ReverseProxy): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => server.closeIdleConnections(), 20);
    server.close(async () => {
      clearInterval(timer);
      for (const pool of proxy.counts().pools)
        for (const { name, state } of pool.replicas) if (state === 'in') await proxy.leave(pool.name, name);
      resolve();
    });
    server.closeIdleConnections();
  });
}

const ignore = (): void => {};
