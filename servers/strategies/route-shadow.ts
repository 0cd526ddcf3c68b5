import { z } from 'zod';
import { UserError } from '../../results/errors.js';
import { defineStrategy, type Execute, type Strategy, type StrategyRequest } from './contract.js';
import { Fifo } from './support/fifo.js';
import { bucketOf } from './support/hash.js';
import { IdleInstances } from './support/idle.js';
import { count } from './support/options.js';

const options = z.strictObject({
  mirrorBasisPoints: count().max(10_000).default(10_000),
  maxShadowQueue: count().default(0),
  experiment: z.string().default('shadow'),
});

type Options = z.output<typeof options>;

const PRIMARY = 0;
const SHADOW = 1;

/**
 * Instance 0 answers; copies of a share of its requests run on instance 1 and answer nobody. Which requests are copied is
 * decided by a hash of their id. Throws UserError where there is no second instance.
 * Source: traffic mirroring as in Istio and Envoy; the hash and the queue limit are ours.
 */
export const routeShadow = defineStrategy({
  name: 'route-shadow',
  summary: 'The first instance answers; the second runs copies of a share of the requests and answers nobody',
  source: 'Istio traffic mirroring',
  differs: [
    'The share is decided by a hash of the request’s id, so that the same requests are copied in every run; the original draws.',
  ],
  unranked: 'what it answers is `serial`; the copies answer nobody',
  originals: { mirrorBasisPoints: 'mirrorPercentage' },
  options,
  examples: [{}, { mirrorBasisPoints: 5000, maxShadowQueue: 2 }],
  maxRows: () => 1,
  create: (given, { instances }) => {
    if (instances.length > SHADOW) return new RouteShadow(given, instances.length);
    throw new UserError({
      place: 'route-shadow',
      found: `${instances.length} instance: there is none for the copies`,
      allowed: 'two instances or more, of which the first answers and the second runs copies',
      remedy: 'Set instances: 2',
    });
  },
});

class RouteShadow implements Strategy {
  readonly #queue = new Fifo<StrategyRequest>();
  readonly #copies = new Fifo<StrategyRequest>();
  readonly #idle: IdleInstances;

  constructor(
    readonly options: Options,
    instances: number,
  ) {
    this.#idle = new IdleInstances(instances);
  }

  offer(request: StrategyRequest): undefined {
    this.#queue.push(request);
    if (this.#isMirrored(request)) this.#copies.push(request);
  }

  finished(execution: Execute): void {
    this.#idle.release(execution.instance);
  }

  poll(): Execute | undefined {
    const request = this.#idle.has(PRIMARY) ? this.#queue.shift() : undefined;
    if (request !== undefined) return this.#execute(PRIMARY, request, false);
    const copy = this.#idle.has(SHADOW) ? this.#copies.shift() : undefined;
    return copy && this.#execute(SHADOW, copy, true);
  }

  wakeAt(): undefined {
    return undefined;
  }

  /** Its copy goes too, unless that runs already. */
  cancel(request: StrategyRequest): boolean {
    if (!this.#queue.remove(request)) return false;
    this.#copies.remove(request);
    return true;
  }

  waiting(): number {
    return this.#queue.length;
  }

  #isMirrored({ id }: StrategyRequest): boolean {
    const { mirrorBasisPoints, maxShadowQueue, experiment } = this.options;
    if (maxShadowQueue > 0 && this.#copies.length >= maxShadowQueue) return false;
    return bucketOf(experiment, id) < mirrorBasisPoints;
  }

  #execute(instance: number, request: StrategyRequest, shadow: boolean): Execute {
    this.#idle.take(instance);
    return { kind: 'execute', instance, requests: [request], rows: request.rows, shadow, hold: shadow };
  }
}
