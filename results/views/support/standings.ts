import type { RunPlan } from '../../run.js';
import type { TrialSummary } from '../../summary.js';
import { formatDuration } from '../../units.js';
import { amongAll, type Claim, claim, type Rival } from './claims.js';
import { type Figure, goodput, latency, merge } from './figures.js';
import { groupBy } from './group-by.js';
import { arenas, type Group, type Twins, twinsOf } from './groups.js';

/** A difference below this is no reason to choose: shown or not, nobody would notice it. */
const NEGLIGIBLE = 0.01;

/** Time that instances computed for each answer within the target: what is left over could serve others. */
export const computeCost: Figure = {
  name: 'instance time a good answer',
  better: 'lower',
  pick: (summary) => perGoodAnswer(summary, summary.busyNs ?? null),
  interval: () => undefined,
  format: formatDuration,
};

/** Processor time of the serving processes for each answer within the target. */
export const processorCost: Figure = {
  name: 'CPU time a good answer',
  better: 'lower',
  pick: (summary) => {
    const serving = summary.processes.filter(({ role }) => role !== 'load');
    if (serving.length === 0) return null;
    return perGoodAnswer(summary, serving.reduce((sum, each) => sum + each.userSeconds + each.systemSeconds, 0) * 1e9);
  },
  interval: () => undefined,
  format: formatDuration,
};

/** Measured runs know the processor time of the serving processes; virtual time knows how long instances computed. */
export function costOf(groups: readonly Group[]): Figure {
  return groups.some((group) => merge(group, processorCost)) ? processorCost : computeCost;
}

function perGoodAnswer({ counts, goodputPerSecond: good, throughputPerSecond: all }: TrialSummary, ns: number | null) {
  if (ns === null || !good || !all) return null;
  return ns / ((counts.ok * good) / all);
}

/** One load of a league and who stands where in it. */
export interface Region {
  readonly arena: readonly Group[];
  readonly goodput: Claim;
  /** Among the leaders in goodput alone: a low p99 of few answers is no merit. */
  readonly p99: Claim | undefined;
  /** Among the leaders in both. */
  readonly cost: Claim | undefined;
  /** Leaders in all three: no data speak against any of them. */
  readonly choice: readonly string[];
}

/**
 * The loads of a league, each judged by the rule: goodput first; among those that are not seen to have less, the p99 latency;
 * among those the cost. Everything is judged among all comparisons that are made.
 */
export function regionsOf(groups: readonly Group[], cost: Figure, seed: bigint, twins: Twins): readonly Region[] {
  const all = arenas(groups, twins);
  const judge = (lists: readonly (readonly Group[])[], figure: Figure) => {
    const made = lists.map((list) => claim(list, figure, seed, twinsOf(groups, list, twins)));
    const judged = amongAll(made.flatMap((each) => each ?? []));
    let next = 0;
    return made.map((each) => (each ? judged[next++] : undefined));
  };
  const first = judge(all, goodput);
  const second = judge(
    all.map((arena, i) => members(arena, leadersOf(first[i]))),
    latency('p99'),
  );
  const third = judge(
    all.map((arena, i) => members(arena, leadersOf(second[i] ?? first[i]))),
    cost,
  );
  return all.flatMap((arena, i): Region[] => {
    const found = first[i];
    if (!found) return [];
    const choice = leadersOf(third[i] ?? second[i] ?? found);
    return [{ arena, goodput: found, p99: second[i], cost: third[i], choice }];
  });
}

/** The best, and those that are not seen to be worse, beyond chance, by anything that matters. */
export function leadersOf(made: Claim | undefined): readonly string[] {
  if (!made) return [];
  return [made.best.group, ...made.rivals.filter(isLevel).map(({ group }) => group)].map(({ system }) => system);
}

function isLevel({ standing, ratio }: Rival): boolean {
  return standing === 'level' || (ratio.ratio !== null && Math.abs(Math.log(ratio.ratio)) < NEGLIGIBLE);
}

function members(arena: readonly Group[], names: readonly string[]): Group[] {
  return arena.filter(({ system }) => names.includes(system));
}

/** Answers within the target as a share of what was offered; null where the run had no target. */
export function goodShare(group: Group): number | null {
  const merged = merge(group, {
    pick: ({ goodputPerSecond: good, offeredPerSecond: offered }) =>
      good === null || !offered ? null : good / offered,
  });
  return merged ? Math.min(1, merged.value) : null;
}

/** Groups by the number of instances that their systems run on: a second one is another price. */
export function byInstances(
  groups: readonly Group[],
  plan: RunPlan,
): readonly (readonly [instances: number, groups: Group[]])[] {
  const instancesOf = new Map(plan.systems.map(({ name, instances }) => [name, instances ?? 1]));
  const found = groupBy(groups, ({ system }) => String(instancesOf.get(system) ?? 1));
  return [...found].map(([key, list]) => [Number(key), list] as const).sort(([a], [b]) => a - b);
}
