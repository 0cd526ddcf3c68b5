import type { Action, Execute, Strategy, StrategyRequest } from '../../../servers/strategies/contract.js';

export interface LiteralPolicy {
  readonly timeoutAction: 'reject' | 'delay';
  readonly defaultTimeout: number;
  readonly allowTimeoutOverride: boolean;
  readonly maxQueueSize: number;
}

export interface LiteralOptions {
  readonly maxBatchSize: number;
  readonly preferredBatchSize: readonly number[];
  readonly maxQueueDelay: number;
  readonly preserveOrdering: boolean;
  readonly priorityLevels: number;
  readonly defaultPriorityLevel?: number | undefined;
  readonly defaultQueuePolicy: LiteralPolicy;
  readonly priorityQueuePolicy: Readonly<Record<string, LiteralPolicy>>;
  readonly expirySweep: number;
}

interface Entry {
  readonly request: StrategyRequest;
  readonly enqueued: number;
  readonly expiry: number | undefined;
}

/**
 * The dynamic batcher's rules written out sentence by sentence over plain arrays, walked anew at every poll: slow, and an
 * oracle for the real one.
 */
export class LiteralTriton implements Strategy {
  readonly levels: { policy: LiteralPolicy; unexpired: Entry[]; delayed: Entry[] }[] = [];
  readonly busy = new Set<number>();
  readonly order: { request: StrategyRequest; execution: Execute }[] = [];
  readonly ended = new Set<Execute>();
  rejected: StrategyRequest[] = [];
  responses: StrategyRequest[] = [];
  waitUntil: number | undefined;
  waitBegin: number | undefined;
  polled = 0;

  constructor(
    readonly options: LiteralOptions,
    readonly instances: number,
  ) {
    for (let level = 1; level <= Math.max(1, options.priorityLevels); level++)
      this.levels.push({
        policy: options.priorityQueuePolicy[level] ?? options.defaultQueuePolicy,
        unexpired: [],
        delayed: [],
      });
  }

  offer(request: StrategyRequest, now: number): string | undefined {
    if (request.rows > this.options.maxBatchSize) return 'batch-too-large';
    let level = request.priority;
    if (level === undefined || level === 0 || level > this.options.priorityLevels)
      level = this.options.defaultPriorityLevel ?? 1;
    const { policy, unexpired, delayed } = this.levels[level - 1]!;
    if (policy.maxQueueSize !== 0 && unexpired.length + delayed.length >= policy.maxQueueSize) return 'queue-full';
    let timeout = policy.defaultTimeout;
    const own = request.timeoutNs ?? 0;
    if (policy.allowTimeoutOverride && 0 < own && own < timeout) timeout = own;
    unexpired.push({ request, enqueued: now, expiry: timeout === 0 ? undefined : now + timeout });
    return undefined;
  }

  finished(execution: Execute): void {
    this.busy.delete(execution.instance);
    this.ended.add(execution);
    while (this.order.length > 0 && this.ended.has(this.order[0]!.execution))
      this.responses.push(this.order.shift()!.request);
  }

  poll(now: number): Action | undefined {
    this.polled = now;
    const response = this.responses.shift();
    if (response) return { kind: 'respond', request: response, source: 'execution' };
    const rejected = this.rejected.shift();
    if (rejected) return { kind: 'reject', request: rejected, reason: 'timeout' };
    this.waitUntil = undefined;
    const idle = this.lowestIdle();
    if (idle === undefined || this.waiting() === 0) return this.wait(now, idle);
    this.waitBegin = undefined;
    const batch = this.form(now);
    if (batch.length === 0) return this.rejected.length > 0 ? this.poll(now) : undefined;
    for (const level of this.levels) {
      level.unexpired = level.unexpired.filter((entry) => !batch.includes(entry));
      level.delayed = level.delayed.filter((entry) => !batch.includes(entry));
    }
    const requests = batch.map(({ request }) => request);
    const hold = this.options.preserveOrdering;
    const execution: Execute = { kind: 'execute', instance: idle, requests, rows: rowsOf(batch), hold };
    this.busy.add(idle);
    if (hold) for (const request of requests) this.order.push({ request, execution });
    return execution;
  }

  wakeAt(): number | undefined {
    const { expirySweep } = this.options;
    const expiring = this.levels.some(({ unexpired }) => unexpired.some(({ expiry }) => expiry !== undefined));
    if (this.waitBegin === undefined || expirySweep === 0 || !expiring) return this.waitUntil;
    let sweep = this.waitBegin + expirySweep;
    while (sweep <= this.polled) sweep += expirySweep;
    return sweep;
  }

  cancel(): boolean {
    return false;
  }

  waiting(): number {
    return this.levels.reduce((sum, { unexpired, delayed }) => sum + unexpired.length + delayed.length, 0);
  }

  lowestIdle(): number | undefined {
    for (let id = 0; id < this.instances; id++) if (!this.busy.has(id)) return id;
    return undefined;
  }

  /** Rule 6. */
  wait(now: number, idle: number | undefined): Action | undefined {
    if (idle !== undefined || this.waiting() === 0) {
      this.waitBegin = undefined;
      return undefined;
    }
    this.waitBegin ??= now;
    const since = now - this.waitBegin;
    if (this.options.expirySweep === 0 || since === 0 || since % this.options.expirySweep !== 0) return undefined;
    for (const level of this.levels) {
      const expired = level.unexpired.filter((entry) => hasExpired(entry, now));
      level.unexpired = level.unexpired.filter((entry) => !hasExpired(entry, now));
      for (const entry of expired) this.expire(level, entry);
    }
    return this.rejected.length > 0 ? this.poll(now) : undefined;
  }

  /** Rules 3 and 4: what is sent now. */
  form(now: number): Entry[] {
    const { maxBatchSize, maxQueueDelay } = this.options;
    const preferred = this.options.preferredBatchSize.length > 0 ? this.options.preferredBatchSize : [maxBatchSize];
    const largest = Math.max(...preferred);
    const pending: Entry[] = [];
    let marked: Entry[] | undefined;
    let sendNow = false;
    for (const entry of this.cursor(now)) {
      const { rows, shapeKey } = entry.request;
      if (pending.length > 0) {
        const total = rowsOf(pending);
        if (total + rows > largest && marked === undefined) marked = [...pending];
        if (total + rows > maxBatchSize || shapeKey !== pending[0]!.request.shapeKey) {
          sendNow = true;
          break;
        }
      }
      pending.push(entry);
      if (preferred.includes(rowsOf(pending))) marked = [...pending];
    }
    const oldest = Math.min(...pending.map(({ enqueued }) => enqueued));
    const exceeded = maxQueueDelay !== 0 && now - oldest >= maxQueueDelay;
    if (marked !== undefined && !exceeded) return marked;
    if (pending.length === 0) return [];
    if (sendNow || rowsOf(pending) >= largest || exceeded || maxQueueDelay === 0) return pending;
    this.waitUntil = Math.min(oldest + maxQueueDelay, ...pending.map(({ expiry }) => (expiry ?? Infinity) + 1));
    return [];
  }

  /** The entries in order; the policy is applied at the cursor before each. */
  *cursor(now: number): Generator<Entry> {
    for (const level of this.levels) {
      for (let i = 0; ; i++) {
        while (i < level.unexpired.length && hasExpired(level.unexpired[i]!, now))
          this.expire(level, level.unexpired.splice(i, 1)[0]!);
        if (i >= level.unexpired.length) break;
        yield level.unexpired[i]!;
      }
      for (const entry of level.delayed) yield entry;
    }
  }

  expire(level: { policy: LiteralPolicy; delayed: Entry[] }, entry: Entry): void {
    if (level.policy.timeoutAction === 'reject') this.rejected.push(entry.request);
    else level.delayed.push({ ...entry, expiry: undefined });
  }
}

function hasExpired({ expiry }: Entry, now: number): boolean {
  return expiry !== undefined && now > expiry;
}

function rowsOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { request }) => sum + request.rows, 0);
}
