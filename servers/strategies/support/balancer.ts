import { z } from 'zod';
import { duration } from '../../../results/units.js';
import { count, positive } from './options.js';

/** The options of a balancer; without `upstreams` there is one of weight 1 for each instance. */
export const balancerShape = {
  algorithm: z.enum(['round-robin', 'smooth-weighted', 'least-conn', 'ip-hash', 'random-two']).default('round-robin'),
  upstreams: z
    .array(z.strictObject({ weight: positive().default(1) }))
    .min(1)
    .optional(),
  maxFails: count().default(1),
  failTimeout: duration().default(10e9),
};

export type Algorithm = z.output<typeof balancerShape.algorithm>;

export interface BalancerOptions {
  readonly algorithm: Algorithm;
  readonly upstreams: readonly { readonly weight: number }[];
  /** 0 = upstreams are never taken for down. */
  readonly maxFails: number;
  /** Nanoseconds. */
  readonly failTimeout: number;
}

/** What is known of the client that an upstream is picked for. */
export interface Pick {
  /** IPv4 address, for `ip-hash`. */
  readonly client?: string | undefined;
  /** Gives two numbers in [0,1), for `random-two`; asked only there. Without it both are 0. */
  readonly draws?: (() => readonly number[]) | undefined;
  /** Upstreams that have been tried for the same request: not again. */
  readonly tried?: ReadonlySet<number> | undefined;
}

interface Upstream {
  readonly id: number;
  weight: number;
  /** Out: nothing is sent there, whatever its health. Its weight goes on to count for `ip-hash`, as NGINX's `down`. */
  out: boolean;
  connections: number;
  /** Smooth weighted round robin's running credit. */
  current: number;
  fails: number;
  lastFail: number | undefined;
}

/** Chooses among upstreams, counts their connections and watches their failures. Source: NGINX's upstream module. */
export class Balancer {
  readonly #upstreams: Upstream[];
  readonly #options: BalancerOptions;
  /** Round robin's next candidate. */
  #pointer = 0;

  constructor(options: BalancerOptions) {
    this.#options = options;
    this.#upstreams = options.upstreams.map(({ weight }, id) => fresh(id, weight));
  }

  /** An upstream that is not down, by the algorithm; undefined, and nothing changes, where all are down. */
  pick(now: number, input: Pick = {}): number | undefined {
    const { tried } = input;
    const up = this.#upstreams.filter((upstream) => !this.#isDown(upstream, now) && !tried?.has(upstream.id));
    if (up.length === 0) return undefined;
    const picked = this.#choose(up, input);
    picked.connections++;
    return picked.id;
  }

  /** What was picked has ended, well or not. Times do not decrease. */
  done(id: number, ok: boolean, now: number): void {
    const upstream = this.#upstreams[id]!;
    upstream.connections--;
    if (ok) {
      upstream.fails = 0;
      return;
    }
    const recent = upstream.lastFail !== undefined && now - upstream.lastFail <= this.#options.failTimeout;
    upstream.fails = recent ? upstream.fails + 1 : 1;
    upstream.lastFail = now;
  }

  /** What was picked never ran: the connection is gone and nothing is learnt of the upstream's health. */
  drop(id: number): void {
    this.#upstreams[id]!.connections--;
  }

  /** A new upstream, in the place of one that left and has no connection any more, else behind all others. Answers its id. */
  join(weight: number): number {
    const vacant = this.#upstreams.findIndex(({ out, connections }) => out && connections === 0);
    const id = vacant < 0 ? this.#upstreams.length : vacant;
    this.#upstreams[id] = fresh(id, weight);
    return id;
  }

  /** Nothing more is sent there; what it has may end. */
  leave(id: number): void {
    this.#upstreams[id]!.out = true;
  }

  /** Open connections of every upstream, by id. */
  connections(): number[] {
    return this.#upstreams.map((upstream) => upstream.connections);
  }

  #isDown({ out, fails, lastFail }: Upstream, now: number): boolean {
    if (out) return true;
    const { maxFails, failTimeout } = this.#options;
    return maxFails > 0 && fails >= maxFails && lastFail !== undefined && now - lastFail <= failTimeout;
  }

  #choose(up: readonly Upstream[], { client, draws }: Pick): Upstream {
    switch (this.#options.algorithm) {
      case 'round-robin':
        return this.#roundRobin(up);
      case 'smooth-weighted':
        return smoothWeighted(up);
      case 'least-conn':
        return leastConnections(up);
      case 'ip-hash':
        return this.#ipHash(up, client ?? '');
      case 'random-two':
        return randomTwo(up, draws?.() ?? []);
    }
  }

  /** The first at or after the pointer; `up` is sorted by id. */
  #roundRobin(up: readonly Upstream[]): Upstream {
    const picked = up.find((upstream) => upstream.id >= this.#pointer) ?? up[0]!;
    this.#pointer = (picked.id + 1) % this.#upstreams.length;
    return picked;
  }

  /** Weights of upstreams that are down count too: the others keep their clients. After 21 tries, smooth weights. */
  #ipHash(up: readonly Upstream[], client: string): Upstream {
    const octets = firstOctets(client);
    const total = this.#upstreams.reduce((sum, { weight }) => sum + weight, 0);
    let hash = 89;
    for (let tries = 0; tries < 21; tries++) {
      for (const octet of octets) hash = (hash * 113 + octet) % 6271;
      const found = this.#atWeight(hash % total);
      if (up.includes(found)) return found;
    }
    return smoothWeighted(up);
  }

  #atWeight(value: number): Upstream {
    let rest = value;
    for (const upstream of this.#upstreams) {
      if (rest < upstream.weight) return upstream;
      rest -= upstream.weight;
    }
    throw new RangeError(`${value} is not below the sum of the weights`);
  }
}

function fresh(id: number, weight: number): Upstream {
  return { id, weight, out: false, connections: 0, current: 0, fails: 0, lastFail: undefined };
}

/** Everyone gains its weight; the richest (lowest id on a tie) wins and pays for all. */
function smoothWeighted(among: readonly Upstream[]): Upstream {
  let total = 0;
  let best = among[0]!;
  for (const upstream of among) {
    upstream.current += upstream.weight;
    total += upstream.weight;
    if (upstream.current > best.current) best = upstream;
  }
  best.current -= total;
  return best;
}

/** Fewest connections for the weight; several: smooth weights among them. */
function leastConnections(up: readonly Upstream[]): Upstream {
  const load = ({ connections, weight }: Upstream) => connections / weight;
  const least = Math.min(...up.map(load));
  const several = up.filter((upstream) => load(upstream) === least);
  return several.length === 1 ? several[0]! : smoothWeighted(several);
}

/** Two different ones by the draws; the second wins only with strictly fewer connections. */
function randomTwo(up: readonly Upstream[], [u = 0, v = 0]: readonly number[]): Upstream {
  const x = Math.floor(u * up.length);
  const first = up[x]!;
  if (up.length === 1) return first;
  const y = Math.floor(v * (up.length - 1));
  const second = up[y >= x ? y + 1 : y]!;
  return second.connections < first.connections ? second : first;
}

/** The first three octets of an IPv4 address: a /24 keeps its upstream. Of any other text, its characters' codes. */
function firstOctets(client: string): number[] {
  const match = /^(\d+)\.(\d+)\.(\d+)\./.exec(client);
  return match ? match.slice(1).map(Number) : Array.from(client, (char) => char.codePointAt(0)! % 256);
}
