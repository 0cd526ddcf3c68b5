import { type DifferenceFound, differences } from '../results/differences.js';
import { type Problem, UserError } from '../results/errors.js';
import { type Capacity, capacitiesOf } from '../results/regression/index.js';
import type { StoredRun } from '../results/run.js';
import { readRun } from '../results/store.js';
import type { TrialOutcome, TrialSummary } from '../results/summary.js';
import { resolveModel } from '../servers/models/index.js';
import type { TrialSpec } from './contract.js';
import type { RunSettings } from './plan.js';
import { makeVariants } from './prepare.js';
import { pinned } from './repeat-plan.js';
import { type FinishedRun, type RunOptions, runPrepared, trialsOf } from './run.js';

/** What a replay came to: plain data, as `--json` prints it. */
export interface Replay {
  readonly schema: 1;
  readonly of: string;
  readonly run: string;
  readonly state: FinishedRun['state'];
  readonly trials: readonly ReplayedTrial[];
  readonly differences: readonly DifferenceFound[];
}

export interface ReplayedTrial {
  readonly id: string;
  /**
   * `same`: schedule and inputs have the hashes that they had. `other`: they have not. `unknown`: one of them was not recorded, so
   * nobody can tell. `failed`: the trial did not end this time.
   */
  readonly load: 'same' | 'other' | 'unknown' | 'failed';
  readonly text: string;
}

/** A run that can be offered again, and what must be known of it. */
export interface ReplayPlan {
  readonly run: StoredRun;
  readonly trials: readonly TrialSpec[];
  readonly capacities: readonly Capacity[];
}

/**
 * What of a run can be replayed: its completed trials whose names hold `filter`, at the rates that they had. Throws UserError
 * with everything that stands in the way of the same bytes (a model that has changed or is gone, a rate that nobody
 * recorded); `force` lets a changed model pass.
 */
export async function planReplay(folder: string, filter: string | undefined, force: boolean): Promise<ReplayPlan> {
  const run = readRun(folder);
  const settings = run.plan.settings as RunSettings | undefined;
  if (settings === undefined)
    throw new UserError({
      place: folder,
      found: 'a run of `servemark drive` has no plan to replay: its server was not ours',
      remedy: `Start it again: ${run.plan.command}`,
    });
  const completed = new Set(summariesOf(run).map(({ trial }) => trial.id));
  const trials = trialsOf(run.plan).filter(
    ({ kind, identity }) => kind !== 'probe' && completed.has(identity.id) && identity.id.includes(filter ?? ''),
  );
  const capacities = [...(settings.capacities ?? []), ...capacitiesOf(run)];
  await makeVariants(trials.map(({ identity, system }) => ({ model: system.model, place: identity.id })));
  const problems = [
    ...(trials.length === 0 ? [noTrials(folder, filter)] : []),
    ...trials.flatMap((trial) => rateProblem(trial, capacities)),
    ...(force ? [] : await modelProblems(run, trials)),
  ];
  if (problems.length > 0) throw new UserError(problems);
  return { run, trials, capacities };
}

/** Offers the same load again and says of every trial whether it was the same. */
export async function replay({ run, trials, capacities }: ReplayPlan, options: RunOptions): Promise<Replay> {
  const plan = pinned({ stored: run.plan, trials }, capacities, `servemark replay ${run.folder}`);
  const finished = await runPrepared(plan, undefined, options);
  const again = readRun(finished.folder);
  const then = new Map(summariesOf(run).map((summary) => [summary.trial.id, summary]));
  return {
    schema: 1,
    of: run.folder,
    run: finished.folder,
    state: finished.state,
    trials: again.outcomes.map((outcome) => replayed(outcome, then)),
    differences: differences(run, again),
  };
}

function replayed(outcome: TrialOutcome, then: ReadonlyMap<string, TrialSummary>): ReplayedTrial {
  if (outcome.state !== 'completed')
    return { id: outcome.trial.id, load: 'failed', text: outcome.state === 'failed' ? outcome.error : outcome.reason };
  const now = outcome.summary;
  const { id } = now.trial;
  const before = then.get(id)!;
  if (before.schedule.sha256 !== now.schedule.sha256)
    return { id, load: 'other', text: `schedule ${short(before.schedule.sha256)} → ${short(now.schedule.sha256)}` };
  const [old, fresh] = [before.inputs?.sha256, now.inputs?.sha256];
  // In virtual time there are no inputs: the schedule is all that is offered.
  if (now.trial.simulated) return { id, load: 'same', text: `schedule ${short(now.schedule.sha256)}` };
  if (!old || !fresh)
    return { id, load: 'unknown', text: 'same schedule; the hash of the inputs was not recorded then' };
  if (old !== fresh) return { id, load: 'other', text: `inputs ${short(old)} → ${short(fresh)}` };
  return { id, load: 'same', text: `schedule ${short(now.schedule.sha256)}, inputs ${short(fresh)}` };
}

function noTrials(folder: string, filter: string | undefined): Problem {
  return filter === undefined
    ? { place: folder, found: 'no trial of it was completed, so there is no load to offer again' }
    : { place: '--trials', found: `no completed trial’s name holds "${filter}"` };
}

function rateProblem({ identity, load }: TrialSpec, capacities: readonly Capacity[]): Problem[] {
  const { relativeRate } = load;
  if (!relativeRate) return [];
  const transport = relativeRate.transport ?? identity.transport;
  if (capacities.some((each) => each.system === relativeRate.system && each.transport === transport)) return [];
  const found = `its rate is relative to ${relativeRate.system} over ${transport}, whose capacity the run does not hold`;
  return [{ place: identity.id, found }];
}

/** The main model's hash is in the plan; the others' files must at least be there. */
async function modelProblems(run: StoredRun, trials: readonly TrialSpec[]): Promise<Problem[]> {
  const specs = new Map(trials.map(({ system }) => [JSON.stringify(system.model), system.model]));
  const problems: Problem[] = [];
  for (const spec of specs.values()) {
    const { name, sha256 } = await resolveModel(spec);
    const { model } = run.plan;
    if (name !== model.name || sha256 === undefined || model.sha256 === null || sha256 === model.sha256) continue;
    problems.push({
      place: `model ${name}`,
      found: `has other bytes than then (sha256 ${short(model.sha256)} then, ${short(sha256)} now)`,
      remedy: 'Put the old file back, or say --force to offer the same load to the new one',
    });
  }
  return problems;
}

function summariesOf({ outcomes }: StoredRun): TrialSummary[] {
  return outcomes.flatMap((outcome) => (outcome.state === 'completed' ? [outcome.summary] : []));
}

function short(sha256: string): string {
  return `${sha256.slice(0, 12)}…`;
}
