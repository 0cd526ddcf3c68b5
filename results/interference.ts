import type { TrialSummary } from './summary.js';

/** What one tenant got of a load: means over its repeats. */
export interface Share {
  readonly meanNs: number;
  readonly okPerSecond: number;
}

/** A load's tenants under one system. */
export interface TogetherLoad {
  readonly load: string;
  readonly tenants: ReadonlyMap<string, Share>;
}

/** How much the tenants of a system disturb each other, from loads of some of them. */
export interface Interference {
  /** In the order of the largest load. */
  readonly tenants: readonly string[];
  readonly alone: ReadonlyMap<string, Share>;
  /** Slow-down of a tenant beside another: mean latency there over mean latency alone; undefined where it was not run. */
  pair(tenant: string, other: string): number | undefined;
  /** The load with all of them. */
  readonly all: TogetherLoad;
  /** Of `all`: slow-downs by tenant. */
  readonly slowDowns: ReadonlyMap<string, number>;
  /** Jain's index over the speed that each keeps in `all` (1 / slow-down): 1 where all suffer alike, 1/n where one has all. */
  readonly fairness: number;
}

/** Undefined where a load with several tenants is missing, or one of them never ran alone. */
export function interferenceOf(loads: readonly TogetherLoad[]): Interference | undefined {
  const alone = new Map<string, Share>();
  for (const { tenants } of loads) if (tenants.size === 1) for (const [name, share] of tenants) alone.set(name, share);
  const together = loads.filter(({ tenants }) => tenants.size > 1);
  const all = together.reduce<TogetherLoad | undefined>(
    (largest, load) => (largest === undefined || load.tenants.size > largest.tenants.size ? load : largest),
    undefined,
  );
  if (all === undefined || [...all.tenants.keys()].some((name) => !alone.has(name))) return undefined;
  const slowDown = (name: string, { tenants }: TogetherLoad) => tenants.get(name)!.meanNs / alone.get(name)!.meanNs;
  const slowDowns = new Map([...all.tenants.keys()].map((name) => [name, slowDown(name, all)]));
  return {
    tenants: [...all.tenants.keys()],
    alone,
    pair: (tenant, other) => {
      const load = together.find(({ tenants }) => tenants.size === 2 && tenants.has(tenant) && tenants.has(other));
      return load && slowDown(tenant, load);
    },
    all,
    slowDowns,
    fairness: jain([...slowDowns.values()].map((factor) => 1 / factor)),
  };
}

/** (Σx)² / (n Σx²). Source: Jain, Chiu and Hawe, *A Quantitative Measure of Fairness* (1984). */
export function jain(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0);
  const squares = shares.reduce((a, b) => a + b * b, 0);
  return squares === 0 ? 1 : sum ** 2 / (shares.length * squares);
}

/** The tenants of a load's repeats that were answered in every one of them. */
export function sharesOf(summaries: readonly TrialSummary[]): Map<string, Share> {
  const shares = new Map<string, Share>();
  for (const { tenant } of summaries[0]?.tenants ?? []) {
    const own = summaries.flatMap(({ tenants = [] }) => tenants.filter((each) => each.tenant === tenant));
    const latencies = own.flatMap(({ latencyNs }) => latencyNs.mean ?? []);
    if (latencies.length < summaries.length) continue;
    shares.set(tenant, { meanNs: mean(latencies), okPerSecond: mean(own.map(({ okPerSecond }) => okPerSecond ?? 0)) });
  }
  return shares;
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
