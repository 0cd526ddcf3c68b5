import type { Nanos, StrategyRequest } from '../contract.js';
import { Fifo } from './fifo.js';

/** What becomes of requests that wait too long, and how many may wait. */
export interface QueuePolicy {
  readonly timeoutAction: 'reject' | 'delay';
  /** 0 = none. */
  readonly defaultTimeout: Nanos;
  readonly allowTimeoutOverride: boolean;
  /** 0 = no limit. */
  readonly maxQueueSize: number;
}

/** A request in the queue. */
export interface QueueEntry {
  readonly request: StrategyRequest;
  readonly enqueuedAt: Nanos;
  /** It has expired when now is later than this; Infinity = never. */
  readonly expiry: Nanos;
}

/** One priority: fresh requests, then those that expired and were set aside. */
interface Level {
  readonly policy: QueuePolicy;
  readonly unexpired: Fifo<QueueEntry>;
  readonly delayed: Fifo<QueueEntry>;
}

/**
 * A queue with priority levels, each with its policy. Expiry is lazy: an entry that has expired counts as waiting until a
 * walk or a sweep comes upon it. Source: Triton core, the dynamic batcher's priority queue.
 */
export class PriorityQueue {
  readonly #levels: readonly Level[];
  /** Entries in all lists. */
  #size = 0;
  /** Entries in unexpired lists that can expire. */
  #expiring = 0;

  /** `policies` by level, the highest first; a rejected request goes to `onReject`. */
  constructor(
    policies: readonly QueuePolicy[],
    readonly onReject: (request: StrategyRequest) => void,
  ) {
    this.#levels = policies.map((policy) => ({ policy, unexpired: new Fifo(), delayed: new Fifo() }));
  }

  get size(): number {
    return this.#size;
  }

  /** Whether an entry may expire some time. */
  get canExpire(): boolean {
    return this.#expiring > 0;
  }

  /** Append to the level (0 = the first); false where it is full. */
  add(request: StrategyRequest, level: number, now: Nanos): boolean {
    const { policy, unexpired, delayed } = this.#levels[level]!;
    if (policy.maxQueueSize > 0 && unexpired.length + delayed.length >= policy.maxQueueSize) return false;
    const timeout = timeoutOf(request, policy);
    const expiry = timeout > 0 ? now + timeout : Number.POSITIVE_INFINITY;
    unexpired.push({ request, enqueuedAt: now, expiry });
    this.#size++;
    if (timeout > 0) this.#expiring++;
    return true;
  }

  /** Drop a request from the level; false where it does not wait there. */
  remove(request: StrategyRequest, level: number): boolean {
    const { unexpired, delayed } = this.#levels[level]!;
    for (const list of [unexpired, delayed])
      for (let i = 0; i < list.length; i++)
        if (list.at(i)!.request === request) {
          this.#forget(list.removeAt(i));
          return true;
        }
    return false;
  }

  /**
   * Show the entries in order – level by level, unexpired before delayed – until `look` returns false. Before an entry is
   * shown, the run of expired ones in front of it meets the level's policy.
   */
  walk(now: Nanos, look: (entry: QueueEntry) => boolean): void {
    for (const level of this.#levels) {
      for (let i = 0; this.#applyPolicyAt(level, i, now); i++) if (!look(level.unexpired.at(i)!)) return;
      // Delayed entries have no expiry, and those that the loop above set aside are walked now.
      for (let i = 0; i < level.delayed.length; i++) if (!look(level.delayed.at(i)!)) return;
    }
  }

  /** Take the first n in the order of `walk`. */
  take(n: number): StrategyRequest[] {
    const taken: StrategyRequest[] = [];
    for (const { unexpired, delayed } of this.#levels) {
      while (taken.length < n && unexpired.length > 0) taken.push(this.#forget(unexpired.shift()!));
      while (taken.length < n && delayed.length > 0) taken.push(this.#forget(delayed.shift()!));
    }
    return taken;
  }

  /** Every expired entry meets its level's policy, in level and queue order. */
  sweep(now: Nanos): void {
    for (const level of this.#levels) {
      const { unexpired } = level;
      for (let i = 0; i < unexpired.length; )
        if (now > unexpired.at(i)!.expiry) this.#expire(level, unexpired.removeAt(i));
        else i++;
    }
  }

  /** Whether an unexpired entry is left at the index. */
  #applyPolicyAt(level: Level, index: number, now: Nanos): boolean {
    const { unexpired } = level;
    while (index < unexpired.length && now > unexpired.at(index)!.expiry)
      this.#expire(level, unexpired.removeAt(index));
    return index < unexpired.length;
  }

  /** An entry that left the unexpired list. */
  #expire({ policy, delayed }: Level, entry: QueueEntry): void {
    const request = this.#forget(entry);
    if (policy.timeoutAction === 'reject') {
      this.onReject(request);
      return;
    }
    delayed.push({ request, enqueuedAt: entry.enqueuedAt, expiry: Number.POSITIVE_INFINITY });
    this.#size++;
  }

  /** Keep the counts of an entry that left its list. */
  #forget(entry: QueueEntry): StrategyRequest {
    this.#size--;
    if (entry.expiry !== Number.POSITIVE_INFINITY) this.#expiring--;
    return entry.request;
  }
}

/** A request's own timeout only shortens; without a default it does nothing. */
function timeoutOf({ timeoutNs = 0 }: StrategyRequest, policy: QueuePolicy): Nanos {
  const { defaultTimeout, allowTimeoutOverride } = policy;
  return allowTimeoutOverride && timeoutNs > 0 && timeoutNs < defaultTimeout ? timeoutNs : defaultTimeout;
}
