import type { Socket } from 'node:net';
import { nowNs } from '../../results/clock.js';
import type { GatewayCounts } from '../../results/gateway.js';
import { FastRandom } from '../../results/stats/random.js';
import type { GatewaySpec, ReplicaSpec, RouteChoice } from './contract.js';
import { type Core, Exchange, type Forwarded, type Sink } from './exchange.js';
import { openGrpc } from './grpc-door.js';
import { GrpcUpstream } from './grpc-upstream.js';
import { type Comparison, Mirror } from './mirror.js';
import { Pins } from './pins.js';
import { Pool } from './pool.js';
import type { Receiver } from './receiver.js';
import { createRoute } from './registry.js';
import { openRest } from './rest-door.js';
import { RestUpstream } from './rest-upstream.js';
import type { Upstream } from './upstream.js';

/** A gateway that answers. */
export interface Gateway {
  readonly url: string;
  /** `127.0.0.1:8001`, where it speaks gRPC too. */
  readonly grpc: string | undefined;
  /** Requests may go there from now on. */
  join(pool: string, replica: ReplicaSpec): void;
  /** Nothing more goes there; resolves when nothing is under way. */
  leave(pool: string, name: string): Promise<void>;
  counts(): GatewayCounts;
  close(): Promise<void>;
}

/** Opens a reverse proxy for HTTP/1.1, and for gRPC where that is asked for. Throws UserError where the port or the route's options are wrong. */
export async function startGateway(spec: GatewaySpec): Promise<Gateway> {
  const proxy = new ReverseProxy(spec);
  const host = spec.host ?? '127.0.0.1';
  const rest = await openRest(proxy, host, spec.port);
  const grpc = spec.grpc ? await openGrpc(proxy, host, 0) : undefined;
  return {
    url: `http://${host}:${rest.port}`,
    grpc: grpc && `${host}:${grpc.port}`,
    join: (pool, replica) => proxy.join(pool, replica),
    leave: (pool, name) => proxy.leave(pool, name),
    counts: () => proxy.counts(),
    close: async () => {
      await Promise.all([rest.close(), grpc?.close()]);
      await proxy.leaveAll();
    },
  };
}

class ReverseProxy implements Core, Receiver {
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
    const options = { timeoutNs: timeout, connections: maxConnections };
    const rest = new RestUpstream(replica.url, options);
    const grpc = replica.grpc === undefined ? undefined : new GrpcUpstream(replica.grpc, options);
    pool.join(replica, grpc ? eitherOf(rest, grpc) : rest, this.now());
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

  async leaveAll(): Promise<void> {
    for (const pool of this.counts().pools)
      for (const { name, state } of pool.replicas) if (state === 'in') await this.leave(pool.name, name);
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

  /** A request has come: where it goes. */
  choose(user: string | undefined): RouteChoice {
    this.#requests++;
    const choice = this.route.choose(user ?? `#${this.#requests}`, this.now());
    this.#pools.get(choice.pool)!.chosen(user);
    return choice;
  }

  /** It is sent on, and its copy where there is to be one. Answers how to give it up. */
  send(choice: RouteChoice, request: Forwarded, socket: Socket, sinkOf: (comparison?: Comparison) => Sink): () => void {
    const { mirror } = choice;
    const isStream = request.body !== null && !Buffer.isBuffer(request.body);
    if (mirror !== undefined && isStream) this.#mirror.tooLarge();
    const comparison =
      mirror === undefined || isStream ? undefined : this.#mirror.copy(this.#pools.get(mirror)!, request);
    const sink = sinkOf(comparison);
    const exchange = new Exchange(this, this.#pools.get(choice.pool)!, request, sink, this.#pinsOf(socket));
    exchange.start();
    return () => exchange.abandon();
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

/** A replica that speaks both. */
function eitherOf(rest: Upstream, grpc: Upstream): Upstream {
  return {
    send: (request, listener) => (request.protocol === 'grpc' ? grpc : rest).send(request, listener),
    close: () => {
      rest.close();
      grpc.close();
    },
  };
}
