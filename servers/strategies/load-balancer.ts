import { z } from 'zod';
import { UserError } from '../../results/errors.js';
import { defineStrategy, type Execute, type Nanos, type Strategy, type StrategyRequest } from './contract.js';
import { Balancer, type BalancerOptions, balancerShape } from './support/balancer.js';
import { Fifo } from './support/fifo.js';
import { drawsFrom } from './support/hash.js';
import { IdleInstances } from './support/idle.js';

const options = z.strictObject(balancerShape);

/**
 * Every instance is an upstream with a queue of its own; which one, is decided on arrival. An upstream whose executions fail
 * is taken for down for a while. Source: NGINX's upstream module. Requests that bring no random numbers get some from
 * their id.
 */
export const loadBalancer = defineStrategy({
  name: 'load-balancer',
  summary: 'A queue for each instance; round robin, weights, fewest connections, address hash or the better of two',
  source: 'NGINX upstream module',
  differs: [
    'Each upstream is an instance with a queue of its own; health is passive (what the open-source server has).',
    '`random-two` takes its two numbers from the request, so that a run can be repeated.',
  ],
  originals: { maxFails: 'max_fails', failTimeout: 'fail_timeout', algorithm: 'ip_hash, least_conn, random two' },
  options,
  examples: [
    {},
    { algorithm: 'smooth-weighted' },
    { algorithm: 'least-conn', maxFails: 0 },
    { algorithm: 'ip-hash' },
    { algorithm: 'random-two' },
  ],
  executesOnce: true,
  maxRows: () => 1,
  create: ({ upstreams, ...rest }, { instances }) => {
    if (upstreams !== undefined && upstreams.length > instances.length)
      throw new UserError({
        place: 'load-balancer.upstreams',
        found: `${upstreams.length} upstreams for ${instances.length} instances`,
        allowed: 'at most one upstream for each instance',
        remedy: 'Add instances or leave upstreams out',
      });
    return new LoadBalancer({ ...rest, upstreams: upstreams ?? instances.map(() => ({ weight: 1 })) });
  },
});

class LoadBalancer implements Strategy {
  readonly #balancer: Balancer;
  readonly #queues: readonly Fifo<StrategyRequest>[];
  readonly #idle: IdleInstances;
  #waiting = 0;

  constructor(given: BalancerOptions) {
    this.#balancer = new Balancer(given);
    this.#queues = given.upstreams.map(() => new Fifo<StrategyRequest>());
    this.#idle = new IdleInstances(given.upstreams.length);
  }

  offer(request: StrategyRequest, now: Nanos): string | undefined {
    const { client, draws, id } = request;
    const upstream = this.#balancer.pick(now, { client, draws: () => draws ?? drawsFrom(id) });
    if (upstream === undefined) return 'no-upstream';
    this.#queues[upstream]!.push(request);
    this.#waiting++;
    return undefined;
  }

  finished({ instance }: Execute, now: Nanos, ok = true): void {
    this.#idle.release(instance);
    this.#balancer.done(instance, ok, now);
  }

  poll(): Execute | undefined {
    if (this.#waiting === 0 || this.#idle.count === 0) return undefined;
    for (const [instance, queue] of this.#queues.entries()) {
      const request = this.#idle.has(instance) ? queue.shift() : undefined;
      if (request === undefined) continue;
      this.#idle.take(instance);
      this.#waiting--;
      return { kind: 'execute', instance, requests: [request], rows: request.rows };
    }
    return undefined;
  }

  wakeAt(): undefined {
    return undefined;
  }

  cancel(request: StrategyRequest): boolean {
    const upstream = this.#queues.findIndex((queue) => queue.remove(request));
    if (upstream < 0) return false;
    this.#balancer.drop(upstream);
    this.#waiting--;
    return true;
  }

  waiting(): number {
    return this.#waiting;
  }
}
