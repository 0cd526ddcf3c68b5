/** What a gateway counts, and what a trial says of it. Plain data. */

/** Since the gateway's start. */
export interface GatewayCounts {
  readonly atNs: number;
  /** Requests that came; those of `/metrics` are not among them. */
  readonly requests: number;
  /** Attempts beyond a request's first. */
  readonly retries: number;
  /** Refused because no replica was up. */
  readonly refused: number;
  /** Held, now, until a first replica joins. */
  readonly held: number;
  readonly pools: readonly PoolCounts[];
  readonly route: RouteStatus & { readonly name: string };
  readonly mirror: MirrorCounts | null;
}

export interface PoolCounts {
  readonly name: string;
  /** Requests that the route sent there. */
  readonly requests: number;
  /** Different users among them; null where requests name none. */
  readonly users: number | null;
  readonly replicas: readonly ReplicaCounts[];
}

export interface ReplicaCounts {
  readonly name: string;
  readonly state: 'in' | 'leaving' | 'gone';
  /** Requests that it was given: those that were tried again elsewhere are counted at both. */
  readonly attempts: number;
  readonly ok: number;
  /** Broken, timed out, or answered 5xx. */
  readonly failed: number;
  /** The client went away first. */
  readonly abandoned: number;
  /** Now. */
  readonly inFlight: number;
  readonly peakInFlight: number;
  /** ∫ min(in flight, instances) dt. */
  readonly busyNs: number;
  /** Σ over ended attempts. */
  readonly latencyNs: number;
  /** Since it joined, until it left. */
  readonly inNs: number;
}

export interface MirrorCounts {
  readonly copied: number;
  /** Too many under way, or too large to be held. */
  readonly dropped: number;
  readonly answered: number;
  readonly failed: number;
  /** Pairs of answers that were held against each other, and those that differ. */
  readonly compared: number;
  readonly differed: number;
}

export interface RouteStatus {
  /** In one word or two: `ramping`, `rolled-back`; absent where there is nothing to tell. */
  readonly state?: string | undefined;
  /** Shares that the route aims at now, in basis points by pool. */
  readonly basisPoints?: Readonly<Record<string, number>> | undefined;
  /** Those shares hold for all the time: what came can be held against them. */
  readonly fixed?: boolean | undefined;
  /** What has changed, and when. */
  readonly changes: readonly { readonly atNs: number; readonly text: string }[];
}

/** What a trial knows of its gateway. */
export interface GatewayFacts {
  readonly algorithm: string;
  readonly level: 'request' | 'connection';
  /** `servemark`, or the program that stood in its place. */
  readonly program: string;
  /** At the beginning of the measured window and at its end; null of a program that does not tell. */
  readonly counts: { readonly before: GatewayCounts; readonly after: GatewayCounts } | null;
  readonly autoscaler: string | null;
  /** Seconds that replicas existed in the measured window, starting and draining ones too. */
  readonly replicaSeconds: number;
  /** Replicas in the measured window: at its begin, the most, at its end. */
  readonly replicas: { readonly first: number; readonly most: number; readonly last: number };
}

/** The same in a summary: counts are those of the measured window. */
export interface GatewaySummary extends Omit<GatewayFacts, 'counts'> {
  readonly counts: GatewayCounts | null;
}

/** Counts of the measured window alone; instants count from its begin. */
export function gatewaySummary({ counts, ...rest }: GatewayFacts): GatewaySummary {
  return { ...rest, counts: counts && between(counts.before, counts.after) };
}

function between(before: GatewayCounts, after: GatewayCounts): GatewayCounts {
  const { atNs } = before;
  return {
    ...after,
    atNs: after.atNs - atNs,
    requests: after.requests - before.requests,
    retries: after.retries - before.retries,
    refused: after.refused - before.refused,
    pools: after.pools.map((pool, i) => ({
      ...pool,
      requests: pool.requests - (before.pools[i]?.requests ?? 0),
      replicas: pool.replicas.map((replica, n) => less(replica, before.pools[i]?.replicas[n])),
    })),
    route: { ...after.route, changes: after.route.changes.map((each) => ({ ...each, atNs: each.atNs - atNs })) },
    mirror: after.mirror && less(after.mirror, before.mirror ?? undefined),
  };
}

/** Field by field; what stands for an instant stays as it is last. */
function less<Counts extends object>(after: Counts, before: Counts | undefined): Counts {
  if (before === undefined) return after;
  const entries = Object.entries(after).map(([key, value]) => {
    const earlier = (before as Readonly<Record<string, unknown>>)[key];
    return [key, typeof value === 'number' && !INSTANT.has(key) ? value - Number(earlier) : value];
  });
  return Object.fromEntries(entries) as Counts;
}

const INSTANT: ReadonlySet<string> = new Set(['inFlight', 'peakInFlight']);
