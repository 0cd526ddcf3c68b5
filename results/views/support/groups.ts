import type { StoredRun } from '../../run.js';
import type { TrialIdentity, TrialOutcome, TrialSummary } from '../../summary.js';
import { groupBy } from './group-by.js';

/** All repeats of one system under one load over one transport: what a table shows as one figure. */
export interface Group {
  readonly system: string;
  readonly load: string;
  readonly loadType: string;
  readonly transport: string;
  readonly simulated: boolean;
  /** Completed repeats, by repeat number. */
  readonly summaries: readonly TrialSummary[];
  /** Of the completed ones. */
  readonly invalid: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Load types that are no part of the comparison: a probe finds the capacity, accuracy mode judges answers. */
const ASIDE: readonly string[] = ['probe', 'accuracy'];

/**
 * The groups of the comparison: loads, transports, systems in the plan's order. The measured ones; the simulated ones only
 * where nothing was measured, so that no table or claim mixes the two.
 */
export function comparedGroups(run: StoredRun): readonly Group[] {
  const measured = groups(run, (trial) => !ASIDE.includes(trial.loadType) && !trial.simulated);
  return measured.length > 0 ? measured : simulatedGroups(run);
}

/** The same of simulated trials alone. */
export function simulatedGroups(run: StoredRun): readonly Group[] {
  return groups(run, (trial) => !ASIDE.includes(trial.loadType) && trial.simulated);
}

/** The groups of one load type that stands beside the comparison (`probe`, `accuracy`). */
export function groupsOfType(run: StoredRun, loadType: string): readonly Group[] {
  return groups(run, (trial) => trial.loadType === loadType);
}

/** One system under two names, run to see what it differs from itself. */
export type Twins = readonly [string, string] | undefined;

/**
 * Groups that are compared with each other: same load, same transport, all measured or all simulated. A twin's second name
 * is no contender.
 */
export function arenas(groups: readonly Group[], twins?: Twins): readonly (readonly Group[])[] {
  const all = groups.filter(({ system }) => system !== twins?.[1]);
  return [...groupBy(all, (group) => JSON.stringify([group.load, group.transport, group.simulated])).values()];
}

/** The A/A pair of an arena; undefined where none was run. */
export function twinsOf(groups: readonly Group[], arena: readonly Group[], twins: Twins) {
  if (!twins || arena.length === 0) return undefined;
  const { load, transport, simulated } = arena[0]!;
  const [first, second] = twins.map((name) =>
    groups.find(
      (group) =>
        group.system === name && group.load === load && group.transport === transport && group.simulated === simulated,
    ),
  );
  return first && second ? ([first, second] as const) : undefined;
}

export function identityOf(outcome: TrialOutcome): TrialIdentity {
  return outcome.state === 'completed' ? outcome.summary.trial : outcome.trial;
}

function groups(run: StoredRun, wanted: (trial: TrialIdentity) => boolean): readonly Group[] {
  const outcomes = run.outcomes.filter((outcome) => wanted(identityOf(outcome)));
  const byCell = groupBy(outcomes, (outcome) => cellKey(identityOf(outcome)));
  return [...byCell.values()].map(toGroup).sort(planOrder(run));
}

function cellKey({ system, load, transport, simulated }: TrialIdentity): string {
  return JSON.stringify([system, load, transport, simulated]);
}

function toGroup(outcomes: readonly TrialOutcome[]): Group {
  const { system, load, loadType, transport, simulated } = identityOf(outcomes[0]!);
  const summaries = outcomes
    .flatMap((outcome) => (outcome.state === 'completed' ? [outcome.summary] : []))
    .sort((a, b) => a.trial.repeat - b.trial.repeat);
  return {
    ...{ system, load, loadType, transport, simulated, summaries },
    invalid: summaries.filter((summary) => summary.verdict.state === 'INVALID').length,
    failed: outcomes.filter((outcome) => outcome.state === 'failed').length,
    skipped: outcomes.filter((outcome) => outcome.state === 'skipped').length,
  };
}

function planOrder({ plan }: StoredRun): (a: Group, b: Group) => number {
  const loads = plan.loads.map((load) => load.name);
  const systems = plan.systems.map((system) => system.name);
  const key = (group: Group) => [
    position(loads, group.load),
    position(plan.transports, group.transport),
    Number(group.simulated),
    position(systems, group.system),
  ];
  return (a, b) => {
    const [left, right] = [key(a), key(b)];
    const at = left.findIndex((value, i) => value !== right[i]);
    return at < 0 ? 0 : left[at]! - right[at]!;
  };
}

/** Unknown names (an old folder) come last. */
function position(names: readonly string[], name: string): number {
  const at = names.indexOf(name);
  return at < 0 ? names.length : at;
}
