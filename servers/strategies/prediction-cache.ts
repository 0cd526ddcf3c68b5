import { z } from 'zod';
import {
  type Action,
  defineStrategy,
  type Execute,
  type Nanos,
  type ResponseSource,
  type Strategy,
  type StrategyRequest,
} from './contract.js';
import { Fifo } from './support/fifo.js';
import { createKeyCache, type KeyCache, keyCacheShape } from './support/key-cache.js';

const options = z.strictObject({
  ...keyCacheShape,
  coalesce: z.boolean().default(true),
  inner: z
    .strictObject({ name: z.string(), options: z.record(z.string(), z.unknown()).prefault({}) })
    .prefault({ name: 'serial' }),
});

/**
 * A cache of answers in front of any strategy: a request whose `key` is cached is answered at once, one whose key is being
 * computed may join that execution. Requests without a key pass. Source: Clipper's prediction cache (CLOCK, coalescing),
 * Triton's response cache (LRU of whole requests).
 */
export const predictionCache = defineStrategy({
  name: 'prediction-cache',
  summary: 'A cache of answers in front of another strategy; equal requests in flight can share one execution',
  source: 'Clipper, NSDI 2017, section 4.2; Triton response cache',
  differs: [
    'The key is given with the request (`key`), not computed from its tensors by the strategy.',
    'Clipper’s CLOCK cache and Triton’s least-recently-used one are two policies of one strategy, and it wraps any other strategy.',
  ],
  unranked: 'what a cache saves is decided by how often inputs repeat, not by the load',
  originals: { capacity: 'cache size' },
  options,
  examples: [
    { capacity: 16 },
    { capacity: 4, policy: 'lru', coalesce: false },
    { capacity: 8, inner: { name: 'triton-dynamic', options: { maxBatchSize: 4, maxQueueDelay: '1ms' } } },
  ],
  maxRows: ({ inner }) => (inner.name === 'serial' || inner.name === 'instance-group' ? 1 : Number.POSITIVE_INFINITY),
  create: (given, context) =>
    new PredictionCache(
      createKeyCache(given),
      given.coalesce,
      context.inner(given.inner.name, given.inner.options, context),
    ),
});

class PredictionCache implements Strategy {
  /** Requests with a key that the inner strategy has, and who joined each. */
  readonly #pending = new Map<StrategyRequest, StrategyRequest[]>();
  /** With coalescing: the pending request of a key. */
  readonly #leaders = new Map<string, StrategyRequest>();
  readonly #outbox = new Fifo<Action>();
  /** Requests that have joined a leader. */
  #joined = 0;

  constructor(
    readonly cache: KeyCache,
    readonly coalesce: boolean,
    readonly inner: Strategy,
  ) {}

  offer(request: StrategyRequest, now: Nanos): string | undefined {
    const { key } = request;
    if (key === undefined) return this.inner.offer(request, now);
    if (this.cache.get(key)) {
      this.#respond(request, 'cache');
      return undefined;
    }
    const leader = this.#leaders.get(key);
    if (leader === undefined) return this.#lead(request, key, now);
    this.#pending.get(leader)!.push(request);
    this.#joined++;
    return undefined;
  }

  finished(execution: Execute, now: Nanos, ok = true): void {
    this.inner.finished(execution, now, ok);
    if (!isLastOf(execution)) return;
    for (const request of execution.requests)
      if (ok) this.#computed(request);
      else this.#failed(request, 'execution-failed');
  }

  poll(now: Nanos): Action | undefined {
    const own = this.#outbox.shift();
    if (own !== undefined) return own;
    const action = this.inner.poll(now);
    if (action?.kind === 'respond') this.#computed(action.request);
    if (action?.kind === 'reject') this.#failed(action.request, action.reason);
    return action;
  }

  wakeAt(): Nanos | undefined {
    return this.inner.wakeAt();
  }

  cancel(request: StrategyRequest, now: Nanos): boolean {
    if (request.key === undefined) return this.inner.cancel(request, now);
    const own = this.#outbox.findIndex((action) => 'request' in action && action.request === request);
    if (own >= 0) return this.#outbox.removeAt(own) !== undefined;
    if (this.#pending.has(request)) return this.#cancelLeader(request, request.key, now);
    const leader = this.#leaders.get(request.key);
    const joined = leader === undefined ? undefined : this.#pending.get(leader);
    const index = joined?.indexOf(request) ?? -1;
    if (joined === undefined || index < 0) return false;
    joined.splice(index, 1);
    this.#joined--;
    return true;
  }

  waiting(): number {
    return this.inner.waiting() + this.#joined;
  }

  #lead(request: StrategyRequest, key: string, now: Nanos): string | undefined {
    const refused = this.inner.offer(request, now);
    if (refused !== undefined) return refused;
    this.#pending.set(request, []);
    if (this.coalesce) this.#leaders.set(key, request);
    return undefined;
  }

  /** Its result is there: keep it, and answer those who joined. The request itself is the inner strategy's to answer. */
  #computed(request: StrategyRequest): void {
    const joined = this.#settle(request);
    if (joined === undefined) return;
    this.cache.put(request.key!);
    for (const each of joined) this.#respond(each, 'coalesced');
  }

  #failed(request: StrategyRequest, reason: string): void {
    for (const each of this.#settle(request) ?? []) this.#outbox.push({ kind: 'reject', request: each, reason });
  }

  /** No longer pending; answers who joined. Undefined where it was not pending: settled before, or without a key. */
  #settle(request: StrategyRequest): StrategyRequest[] | undefined {
    const joined = this.#pending.get(request);
    if (joined === undefined) return undefined;
    this.#pending.delete(request);
    this.#leaders.delete(request.key!);
    this.#joined -= joined.length;
    return joined;
  }

  /** The first who joined takes its place; where the inner strategy refuses, all are rejected. */
  #cancelLeader(request: StrategyRequest, key: string, now: Nanos): boolean {
    if (!this.inner.cancel(request, now)) return false;
    const [next, ...others] = this.#settle(request)!;
    if (next === undefined) return true;
    const reason = this.#lead(next, key, now);
    if (reason === undefined) {
      this.#pending.get(next)!.push(...others);
      this.#joined += others.length;
    } else {
      for (const each of [next, ...others]) this.#outbox.push({ kind: 'reject', request: each, reason });
    }
    return true;
  }

  #respond(request: StrategyRequest, source: ResponseSource): void {
    this.#outbox.push({ kind: 'respond', request, source });
  }
}

/** Copies compute nobody's answer, and of an execution in stages only the last, which is not held, completes it. */
function isLastOf({ shadow, stages, hold }: Execute): boolean {
  return !shadow && !(stages !== undefined && hold);
}
