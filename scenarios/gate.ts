import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { differences } from '../results/differences.js';
import {
  type Capacity,
  confirmed,
  entryOf,
  type GateFinding,
  type GateOptions,
  type GateOutcome,
  type HistoryEntry,
  historyFolder,
  isBad,
  judgeRun,
  placeOf,
  readHistory,
  recordEntry,
} from '../results/regression/index.js';
import { readRun } from '../results/store.js';
import type { TrialSpec } from './contract.js';
import type { PlannedRun } from './prepare.js';
import { pinned } from './repeat-plan.js';
import { type FinishedRun, type RunOptions, runPrepared } from './run.js';

export interface GateSpec {
  readonly prepared: PlannedRun;
  readonly scenarioText: string | undefined;
  /** A run that was made already: it is judged instead of a new one. */
  readonly runFolder?: string | undefined;
  /** The root of the history, or a run folder. */
  readonly baseline: string;
  readonly options: GateOptions;
  /** Make a second run where a regression is seen. */
  readonly confirm: boolean;
  /** Add the run to the history. */
  readonly record: boolean;
  /** The run is the new level, whatever it shows. */
  readonly accept: boolean;
  /** Measure anew what relative rates are relative to, instead of offering what the baseline was offered. */
  readonly remeasure: boolean;
}

/** Runs, judges, confirms, records. Throws when aborted, and UserError where a run can't be judged at all. */
export async function gate(spec: GateSpec, run: RunOptions): Promise<GateOutcome> {
  const { prepared, baseline, options } = spec;
  const skipped: GateOutcome['excluded'][number][] = [];
  const isRun = existsSync(join(baseline, 'plan.json'));
  const entries = isRun
    ? [entryOf(readRun(baseline))]
    : readHistory(baseline, prepared.stored.scenario, (path) => skipped.push({ run: path, why: 'can’t be read' }));
  const capacities = spec.remeasure
    ? []
    : (entries.findLast(({ verdict }) => verdict !== 'regressed')?.capacities ?? []);
  const folder = spec.runFolder ?? (await carryOut(pinned(prepared, capacities, prepared.stored.command), spec, run));
  const measured = readRun(folder);
  const own = entryOf(measured);
  const candidate = own.capacities.length > 0 ? own : { ...own, capacities };
  const { comparable, excluded } = comparables(entries, candidate);
  const findings = judgeRun(candidate, comparable, options);
  const second = await secondRun(findings, candidate.capacities, spec, run);
  const again = second === null ? [] : confirmed(findings, judgeRun(entryOf(readRun(second)), comparable, options));
  const state = stateOf(comparable.length, findings, second, again);
  if (spec.record && !isRun) recordEntry(baseline, { ...candidate, verdict: verdictOf(state, spec.accept) });
  const last = comparable.at(-1);
  return {
    schema: 1,
    scenario: prepared.stored.scenario,
    state,
    run: folder,
    confirmRun: second,
    baseline: isRun ? baseline : historyFolder(baseline, prepared.stored.scenario),
    baselineRuns: comparable.length,
    excluded: [...skipped, ...excluded],
    findings,
    confirmed: again,
    differences:
      last && existsSync(join(last.runFolder, 'plan.json')) ? differences(readRun(last.runFolder), measured) : [],
  };
}

/** What runs on another machine or was judged a regression is no baseline. */
function comparables(entries: readonly HistoryEntry[], candidate: HistoryEntry) {
  const why = (entry: HistoryEntry): string | undefined => {
    if (entry.verdict === 'regressed') return 'was judged a regression';
    const other = Object.entries(candidate.machine).find(([what, value]) => entry.machine[what] !== value);
    return other && `another machine: ${other[0]} ${entry.machine[other[0]]}, now ${other[1]}`;
  };
  return {
    comparable: entries.filter((entry) => why(entry) === undefined),
    excluded: entries.flatMap((entry) => {
      const reason = why(entry);
      return reason === undefined ? [] : [{ run: entry.runFolder, why: reason }];
    }),
  };
}

/** Of the suspected cells only, with the systems that stood beside them. */
async function secondRun(
  findings: readonly GateFinding[],
  capacities: readonly Capacity[],
  spec: GateSpec,
  run: RunOptions,
): Promise<string | null> {
  const bad = findings.filter(isBad);
  if (bad.length === 0 || !spec.confirm || spec.accept) return null;
  run.onEvent({ kind: 'note', text: `looks worse: ${bad.map(placeOf).join(', ')}; running again to confirm it` });
  const suspected = ({ identity }: TrialSpec) =>
    bad.some(({ load, transport }) => load === identity.load && transport === identity.transport);
  return carryOut(
    pinned(spec.prepared, capacities, `${spec.prepared.stored.command} (confirming)`, suspected),
    spec,
    run,
  );
}

async function carryOut(prepared: PlannedRun, { scenarioText }: GateSpec, run: RunOptions): Promise<string> {
  const finished: FinishedRun = await runPrepared(prepared, scenarioText, run);
  if (finished.state === 'interrupted') throw new GateInterrupted(finished.folder);
  return finished.folder;
}

/** Ctrl-C: there is no verdict, and nothing was recorded. */
export class GateInterrupted extends Error {
  constructor(readonly folder: string) {
    super(`interrupted; what was measured lies in ${folder}`);
  }
}

function stateOf(
  baselineRuns: number,
  findings: readonly GateFinding[],
  second: string | null,
  again: readonly GateFinding[],
): GateOutcome['state'] {
  if (baselineRuns === 0) return 'first';
  if (findings.every((each) => each.state === 'unjudged')) return 'unjudged';
  if (!findings.some(isBad)) return 'passed';
  if (second === null) return 'unproven';
  return again.length > 0 ? 'regressed' : 'unconfirmed';
}

function verdictOf(state: GateOutcome['state'], accept: boolean): HistoryEntry['verdict'] {
  if (accept) return 'accepted';
  if (state === 'regressed') return 'regressed';
  return state === 'first' || state === 'unproven' || state === 'unjudged' ? 'recorded' : 'passed';
}
