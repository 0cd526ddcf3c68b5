import type { PoolCounts, ReplicaCounts } from '../../results/gateway.js';
import { Balancer } from '../strategies/support/balancer.js';
import type { ReplicaSpec } from './contract.js';
import type { Balancing } from './options.js';

/** A replica as its pool keeps it. `upstream` is whatever carries requests there. */
export interface Replica<Upstream> {
  readonly spec: ReplicaSpec;
  readonly upstream: Upstream;
  /** In the balancer. */
  readonly slot: number;
}

/**
 * Replicas that answer for each other: the balancer of the `load-balancer` strategy over members that come and go, and what is
 * counted of each. No clock, no I/O: times are arguments.
 */
export class Pool<Upstream> {
  readonly #balancer: Balancer;
  readonly #bySlot: (Member<Upstream> | undefined)[] = [];
  /** All that ever were, in order of joining. */
  readonly #members: Member<Upstream>[] = [];
  readonly #users = new Set<string>();
  #requests = 0;

  constructor(
    readonly name: string,
    { algorithm, maxFails, failTimeout }: Pick<Balancing, 'algorithm' | 'maxFails' | 'failTimeout'>,
  ) {
    this.#balancer = new Balancer({ algorithm, maxFails, failTimeout, upstreams: [] });
  }

  /** Replicas that take requests, down ones too. */
  get size(): number {
    return this.#members.reduce((sum, { state }) => sum + (state === 'in' ? 1 : 0), 0);
  }

  join(spec: ReplicaSpec, upstream: Upstream, now: number): void {
    const slot = this.#balancer.join(spec.weight);
    const member = new Member(spec, upstream, slot, now);
    this.#bySlot[slot] = member;
    this.#members.push(member);
  }

  /** `left` is called when it has nothing under way, now or later. Without a member of that name at once. */
  leave(name: string, now: number, left: (upstream: Upstream | undefined) => void): void {
    const member = this.#members.find(({ spec, state }) => spec.name === name && state === 'in');
    if (!member) {
      left(undefined);
      return;
    }
    this.#balancer.leave(member.slot);
    member.leave(now, left);
  }

  /** The route has sent a request here. */
  chosen(user: string | undefined): void {
    this.#requests++;
    if (user !== undefined && this.#users.size < MOST_USERS) this.#users.add(user);
  }

  /** A replica by the algorithm; undefined where all are down, or have been tried. */
  pick(now: number, input: Parameters<Balancer['pick']>[1]): Replica<Upstream> | undefined {
    const slot = this.#balancer.pick(now, input);
    return slot === undefined ? undefined : this.#bySlot[slot];
  }

  /** What was picked has ended. undefined: it never came to anything that tells of the replica's health. */
  release(replica: Replica<Upstream>, ok: boolean | undefined, now: number): void {
    if (ok === undefined) this.#balancer.drop(replica.slot);
    else this.#balancer.done(replica.slot, ok, now);
  }

  /** A request is on its way there: once for each attempt, also where the pick holds for a whole connection. */
  begin(replica: Replica<Upstream>, now: number): void {
    (replica as Member<Upstream>).begin(now);
  }

  /** `ok` undefined: nobody waited for it any more. */
  end(replica: Replica<Upstream>, ok: boolean | undefined, latencyNs: number, now: number): void {
    (replica as Member<Upstream>).end(ok, latencyNs, now);
  }

  isIn(replica: Replica<Upstream>): boolean {
    return (replica as Member<Upstream>).state === 'in';
  }

  counts(now: number): PoolCounts {
    return {
      name: this.name,
      requests: this.#requests,
      users: this.#users.size === 0 ? null : this.#users.size,
      replicas: this.#members.map((member) => member.counts(now)),
    };
  }
}

/** Beyond that they are no longer told apart: memory is bounded. */
const MOST_USERS = 100_000;

class Member<Upstream> implements Replica<Upstream> {
  state: ReplicaCounts['state'] = 'in';
  #attempts = 0;
  #ok = 0;
  #failed = 0;
  #abandoned = 0;
  #inFlight = 0;
  #peakInFlight = 0;
  #busyNs = 0;
  #latencyNs = 0;
  #since: number;
  #leftAt: number | undefined;
  #left: ((upstream: Upstream) => void) | undefined;

  constructor(
    readonly spec: ReplicaSpec,
    readonly upstream: Upstream,
    readonly slot: number,
    private readonly joinedAt: number,
  ) {
    this.#since = joinedAt;
  }

  begin(now: number): void {
    this.#advance(now);
    this.#attempts++;
    this.#inFlight++;
    this.#peakInFlight = Math.max(this.#peakInFlight, this.#inFlight);
  }

  end(ok: boolean | undefined, latencyNs: number, now: number): void {
    this.#advance(now);
    this.#inFlight--;
    this.#latencyNs += latencyNs;
    if (ok) this.#ok++;
    else if (ok === false) this.#failed++;
    else this.#abandoned++;
    this.#maybeGone();
  }

  leave(now: number, left: (upstream: Upstream) => void): void {
    this.state = 'leaving';
    this.#leftAt = now;
    this.#left = left;
    this.#maybeGone();
  }

  counts(now: number): ReplicaCounts {
    this.#advance(now);
    return {
      name: this.spec.name,
      state: this.state,
      attempts: this.#attempts,
      ok: this.#ok,
      failed: this.#failed,
      abandoned: this.#abandoned,
      inFlight: this.#inFlight,
      peakInFlight: this.#peakInFlight,
      busyNs: this.#busyNs,
      latencyNs: this.#latencyNs,
      inNs: (this.#leftAt ?? now) - this.joinedAt,
    };
  }

  #maybeGone(): void {
    if (this.state !== 'leaving' || this.#inFlight > 0) return;
    this.state = 'gone';
    this.#left?.(this.upstream);
  }

  #advance(now: number): void {
    this.#busyNs += Math.min(this.#inFlight, this.spec.instances) * (now - this.#since);
    this.#since = now;
  }
}
