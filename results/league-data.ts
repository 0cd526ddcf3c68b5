import type { StoredRun } from './run.js';
import { latency, merge } from './views/support/figures.js';
import { comparedGroups, type Group, simulatedGroups } from './views/support/groups.js';
import { byInstances, computeCost, costOf, goodShare, processorCost, regionsOf } from './views/support/standings.js';

const LEAGUE_SCHEMA = 1;

/** A league as data, for programs and for pages that outlive the run: each system under each load. */
export interface LeagueData {
  readonly schema: number;
  readonly command: string;
  readonly model: string;
  readonly p99TargetNs: number | null;
  readonly systems: readonly { readonly name: string; readonly summary: string }[];
  readonly rows: readonly LeagueRow[];
}

interface LeagueRow {
  readonly system: string;
  readonly load: string;
  readonly simulated: boolean;
  readonly instances: number;
  readonly repeats: number;
  /** Share of the offered requests that were answered within the target. */
  readonly goodShare: number | null;
  readonly p99Ns: number | null;
  /** For each good answer: time that instances computed, CPU time of the serving processes; null where not measured. */
  readonly computeNs: number | null;
  readonly processorNs: number | null;
  /** Not seen to be worse than any other on as many instances: in goodput, then p99, then cost. */
  readonly chosen: boolean;
}

/** Of a stored run of `servemark bench strategies`. */
export function leagueData(run: StoredRun): LeagueData {
  const measured = comparedGroups(run).filter(({ simulated }) => !simulated);
  const { command, model, targets, systems } = run.plan;
  return {
    schema: LEAGUE_SCHEMA,
    command,
    model: model.name,
    p99TargetNs: targets.p99LatencyNs ?? null,
    systems: systems.map(({ name, summary }) => ({ name, summary })),
    rows: [measured, simulatedGroups(run)].flatMap((groups) =>
      byInstances(groups, run.plan).flatMap(([instances, list]) => rowsOf(list, instances, run)),
    ),
  };
}

function rowsOf(groups: readonly Group[], instances: number, { plan }: StoredRun): LeagueRow[] {
  const regions = regionsOf(groups, costOf(groups), BigInt(plan.seeds.bootstrap ?? '0'), plan.twins);
  const choices = new Map(regions.map(({ arena, choice }) => [`${arena[0]!.load} ${arena[0]!.transport}`, choice]));
  return groups.map((group) => ({
    ...{ system: group.system, load: group.load, simulated: group.simulated, instances },
    repeats: group.summaries.length,
    goodShare: goodShare(group),
    p99Ns: merge(group, latency('p99'))?.value ?? null,
    computeNs: merge(group, computeCost)?.value ?? null,
    processorNs: merge(group, processorCost)?.value ?? null,
    chosen: choices.get(`${group.load} ${group.transport}`)?.includes(group.system) ?? false,
  }));
}
