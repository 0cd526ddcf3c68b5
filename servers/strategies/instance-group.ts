import { z } from 'zod';
import { UserError } from '../../results/errors.js';
import { defineStrategy, type Execute, type Strategy, type StrategyRequest } from './contract.js';
import { Fifo } from './support/fifo.js';
import { IdleInstances } from './support/idle.js';
import { type Amounts, type Head, Limiter, type LimiterPlace } from './support/limiter.js';
import { count, positive } from './support/options.js';

const resources = z.record(z.string(), count());
const rateLimiter = z.strictObject({
  resources: resources.prefault({}),
  instances: z
    .array(z.strictObject({ priority: positive().default(1), resources: resources.prefault({}) }))
    .prefault([]),
  serverWide: z
    .boolean()
    .default(false)
    .describe('resources and turns are those of all models of the server that say so, as in the original'),
});
const options = z.strictObject({ maxQueueSize: count().default(0), rateLimiter: rateLimiter.optional() });

type RateLimiterOptions = z.output<typeof rateLimiter>;

/**
 * N instances of one model behind one queue; one request an execution. With a rate limiter the least executions × priority
 * goes first, and an execution holds resources: the model's own, or with `serverWide` the server's. Source: Triton instance groups and rate limiter; the queue limit is ours.
 */
export const instanceGroup = defineStrategy({
  name: 'instance-group',
  summary: 'Several instances behind one queue, one request at a time each',
  source: 'Triton instance groups, rate limiter',
  differs: [
    'A queue limit (`maxQueueSize`) is ours.',
    'Resources and turns are a model’s own unless `serverWide` says that they are the server’s, as the original’s always are.',
    'While the instance that is next lacks a resource, nothing is dispatched: no other instance is tried. The original’s documents leave this open.',
  ],
  originals: { rateLimiter: 'rate_limiter' },
  options,
  examples: [
    {},
    { maxQueueSize: 4 },
    {
      rateLimiter: {
        resources: { memory: 1 },
        instances: [{ priority: 1 }, { priority: 2, resources: { memory: 1 } }],
      },
    },
  ],
  workConserving: ({ rateLimiter }) => rateLimiter === undefined,
  executesOnce: true,
  plain: ({ maxQueueSize, rateLimiter }) =>
    rateLimiter === undefined
      ? { limit: maxQueueSize || Number.POSITIVE_INFINITY, instances: Number.POSITIVE_INFINITY }
      : undefined,
  maxRows: () => 1,
  create: ({ maxQueueSize, rateLimiter }, { instances, limiter }) => {
    const limit = maxQueueSize || Number.POSITIVE_INFINITY;
    if (rateLimiter === undefined) return new InstanceGroup(limit, new LowestIdle(instances.length));
    const place = (rateLimiter.serverWide ? limiter : undefined) ?? new Limiter().join('');
    const chooser = new RateLimiter(rateLimiter, instances.length, place);
    const group = new InstanceGroup(limit, chooser);
    place.head = () => (group.waiting() === 0 ? undefined : chooser.head());
    return group;
  },
});

/** Which instance comes next: −1 where none may. */
interface Chooser {
  next(): number;
  take(instance: number): void;
  release(instance: number): void;
  /** A request that waited went away. */
  dropped?(): void;
}

class InstanceGroup implements Strategy {
  readonly #queue = new Fifo<StrategyRequest>();

  constructor(
    readonly limit: number,
    readonly instances: Chooser,
  ) {}

  offer(request: StrategyRequest): string | undefined {
    if (this.#queue.length >= this.limit) return 'queue-full';
    this.#queue.push(request);
    return undefined;
  }

  finished(execution: Execute): void {
    this.instances.release(execution.instance);
  }

  poll(): Execute | undefined {
    if (this.#queue.length === 0) return undefined;
    const instance = this.instances.next();
    if (instance < 0) return undefined;
    this.instances.take(instance);
    const request = this.#queue.shift()!;
    return { kind: 'execute', instance, requests: [request], rows: request.rows };
  }

  wakeAt(): undefined {
    return undefined;
  }

  cancel(request: StrategyRequest): boolean {
    const waited = this.#queue.remove(request);
    if (waited) this.instances.dropped?.();
    return waited;
  }

  waiting(): number {
    return this.#queue.length;
  }
}

class LowestIdle extends IdleInstances implements Chooser {
  next(): number {
    return this.lowest();
  }
}

/** Weighs instances and counts out resources. An instance whose resources are taken is waited for: no other is tried. */
class RateLimiter implements Chooser {
  readonly #idle: IdleInstances;
  readonly #scores: number[];

  constructor(
    readonly limits: RateLimiterOptions,
    readonly count: number,
    readonly place: LimiterPlace,
  ) {
    checkResources(limits);
    this.#idle = new IdleInstances(count);
    this.#scores = new Array<number>(count).fill(0);
    place.stated = limits.resources;
  }

  next(): number {
    const best = this.#best();
    return best >= 0 && this.place.isFirst(this.#headAt(best)) ? best : -1;
  }

  /** Of the instance that is next, where one is idle. */
  head(): Head | undefined {
    const best = this.#best();
    return best < 0 ? undefined : this.#headAt(best);
  }

  take(instance: number): void {
    this.#idle.take(instance);
    this.#scores[instance]! += this.limits.instances[instance]?.priority ?? 1;
    this.place.take(this.#needs(instance));
  }

  release(instance: number): void {
    this.#idle.release(instance);
    this.place.release(this.#needs(instance));
  }

  dropped(): void {
    this.place.dropped();
  }

  #best(): number {
    let best = -1;
    for (let i = 0; i < this.count; i++)
      if (this.#idle.has(i) && (best < 0 || this.#scores[i]! < this.#scores[best]!)) best = i;
    return best;
  }

  #headAt(instance: number): Head {
    return { score: this.#scores[instance]!, needs: this.#needs(instance) };
  }

  #needs(instance: number): Amounts {
    return this.limits.instances[instance]?.resources ?? {};
  }
}

/** An instance that needs more than there is would stop the queue for ever. */
function checkResources({ resources, instances }: RateLimiterOptions): void {
  const problems = instances.flatMap((instance, i) =>
    Object.entries(instance.resources)
      .filter(([name, n]) => n > (resources[name] ?? 0))
      .map(([name, n]) => ({
        place: `instance-group.rateLimiter.instances.${i}.resources.${name}`,
        found: `needs ${n} of "${name}", of which there are ${resources[name] ?? 0}: the instance could never run`,
        remedy: `Set rateLimiter.resources.${name} to ${n} or more`,
      })),
  );
  if (problems.length > 0) throw new UserError(problems);
}
