import { z } from 'zod';
import { rate } from '../../results/units.js';
import {
  type Action,
  defineStrategy,
  type Execute,
  type Nanos,
  type Strategy,
  type StrategyContext,
  type StrategyRequest,
} from './contract.js';
import { Fifo } from './support/fifo.js';
import { IdleInstances } from './support/idle.js';
import { count, positive } from './support/options.js';

const terms = z.strictObject({
  /** Of what the tenants that wait get, relative to the others'. */
  weight: z.number().positive().max(1e6).default(1),
  /** 1 = highest: a tenant of a lower level runs only where none of a higher one waits. */
  priority: positive().default(1),
  /** Requests per second that are taken at most; 0: any number. */
  quota: rate().prefault(0),
  /** Requests that may come at once beyond the quota's pace. */
  burst: positive().default(1),
  maxQueueSize: count().default(0),
});

const options = z.strictObject({
  maxBatchSize: positive().default(1),
  tenants: z.record(z.string(), terms).default({}),
  /** Of tenants that are not named, each for itself. */
  others: terms.prefault({}),
});

type Options = z.output<typeof options>;
type Terms = z.output<typeof terms>;

/**
 * Each tenant (`client`) has a queue, a weight, a priority and perhaps a quota. Among the tenants of the highest level that wait,
 * the request with the least start tag goes next: its tenant's rows so far over the weight, but never behind the time of a
 * tenant that was served meanwhile, so that nobody saves up while he asks nothing. Source: Goyal, Vin and Cheng,
 * *Start-time Fair Queueing* (SIGCOMM 1996); quotas are token buckets.
 */
export const fairShare = defineStrategy({
  name: 'fair-share',
  summary: 'Tenants share by weight, in levels of priority, within quotas (start-time fair queueing)',
  source: 'Start-time fair queueing, SIGCOMM 1996',
  differs: [
    'Rows stand for the length of a packet; several requests may go into one execution, in the order of their tags.',
    'Levels of priority and quotas (token buckets) are ours.',
  ],
  unranked: 'it is about several tenants; with one it is `instance-group` with batches',
  options,
  examples: [
    {},
    {
      maxBatchSize: 4,
      tenants: { a: { weight: 3 }, b: { quota: '100/s', burst: 5 } },
      others: { priority: 2, maxQueueSize: 100 },
    },
  ],
  workConserving: () => true,
  executesOnce: true,
  maxRows: ({ maxBatchSize }) => maxBatchSize,
  create: (given, context) => new FairShare(given, context),
});

/** A request and its tags. */
interface Entry {
  readonly request: StrategyRequest;
  readonly start: number;
}

class Tenant {
  readonly queue = new Fifo<Entry>();
  /** Where its last request ends, in rows over weight. */
  finish = 0;
  private tokens: number;
  private filledAt: Nanos = 0;

  constructor(readonly terms: Terms) {
    this.tokens = terms.burst;
  }

  /** Whether the quota allows one request more. */
  mayCome(now: Nanos): boolean {
    const { quota, burst } = this.terms;
    if (quota === 0) return true;
    this.tokens = Math.min(burst, this.tokens + ((now - this.filledAt) * quota) / 1e9);
    this.filledAt = now;
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }
}

class FairShare implements Strategy {
  /** By first appearance. */
  readonly #tenants = new Map<string, Tenant>();
  readonly #idle: IdleInstances;
  /** The start tag of the request that was served last. */
  #time = 0;
  #waiting = 0;

  constructor(
    readonly options: Options,
    { instances }: StrategyContext,
  ) {
    this.#idle = new IdleInstances(instances.length);
  }

  offer(request: StrategyRequest, now: Nanos): string | undefined {
    if (request.rows > this.options.maxBatchSize) return 'batch-too-large';
    const tenant = this.#tenantOf(request);
    const { maxQueueSize, weight } = tenant.terms;
    if (maxQueueSize > 0 && tenant.queue.length >= maxQueueSize) return 'queue-full';
    if (!tenant.mayCome(now)) return 'quota';
    const start = Math.max(this.#time, tenant.finish);
    tenant.finish = start + request.rows / weight;
    tenant.queue.push({ request, start });
    this.#waiting++;
    return undefined;
  }

  finished(execution: Execute): void {
    this.#idle.release(execution.instance);
  }

  poll(): Action | undefined {
    if (this.#idle.count === 0 || this.#waiting === 0) return undefined;
    const requests: StrategyRequest[] = [];
    let rows = 0;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const { request, start } = next.queue.peek()!;
      if (requests.length > 0 && !this.#joins(request, requests[0]!, rows)) break;
      next.queue.shift();
      this.#waiting--;
      this.#time = Math.max(this.#time, start);
      requests.push(request);
      rows += request.rows;
    }
    const instance = this.#idle.lowest();
    this.#idle.take(instance);
    return { kind: 'execute', instance, requests, rows };
  }

  wakeAt(): undefined {
    return undefined;
  }

  cancel(request: StrategyRequest): boolean {
    const { queue } = this.#tenantOf(request);
    const index = queue.findIndex((entry) => entry.request === request);
    if (index < 0) return false;
    queue.removeAt(index);
    this.#waiting--;
    return true;
  }

  waiting(): number {
    return this.#waiting;
  }

  #tenantOf({ client = '' }: StrategyRequest): Tenant {
    let tenant = this.#tenants.get(client);
    if (tenant === undefined) {
      tenant = new Tenant(this.options.tenants[client] ?? this.options.others);
      this.#tenants.set(client, tenant);
    }
    return tenant;
  }

  /** The tenant whose head goes next: highest level, least tag, first come. */
  #next(): Tenant | undefined {
    let best: Tenant | undefined;
    for (const tenant of this.#tenants.values()) {
      if (tenant.queue.length === 0) continue;
      if (best === undefined || before(tenant, best)) best = tenant;
    }
    return best;
  }

  #joins(request: StrategyRequest, first: StrategyRequest, rows: number): boolean {
    if (rows + request.rows > this.options.maxBatchSize) return false;
    return request.shapeKey === first.shapeKey && request.model === first.model;
  }
}

function before(a: Tenant, b: Tenant): boolean {
  if (a.terms.priority !== b.terms.priority) return a.terms.priority < b.terms.priority;
  return a.queue.peek()!.start < b.queue.peek()!.start;
}
