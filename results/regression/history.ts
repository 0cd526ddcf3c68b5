import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { COMPARED, type ComparedName } from '../compare.js';
import type { Environment } from '../environment.js';
import { UserError } from '../errors.js';
import { readJsonIfWhole, writeJsonAtomic } from '../files.js';
import { OUTCOMES, type RecordTable } from '../record.js';
import type { StoredRun } from '../run.js';
import { ascending, percentile, percentileFloor } from '../stats/index.js';
import { readTrialRecords, safeName } from '../store.js';
import type { TrialSummary } from '../summary.js';

const HISTORY_SCHEMA = 1;

/** The quantiles that an entry keeps of each trial's latencies. */
export const GRID = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99] as const;

/** What a run leaves in the history: figures and quantiles of every trial, no records. One file a run. */
export interface HistoryEntry {
  readonly schema: number;
  readonly scenario: string;
  /** When its first trial started, ISO: the order of the history. */
  readonly at: string;
  readonly runFolder: string;
  readonly commit: string | null;
  readonly version: string;
  readonly modelSha256: string | null;
  /** What must be the same for two entries to be comparable. */
  readonly machine: Readonly<Record<string, string>>;
  /**
   * `recorded`: nothing to judge it by yet; `passed`; `regressed`: confirmed, no part of a baseline; `accepted`: the new level,
   * where a baseline begins anew.
   */
  readonly verdict: 'recorded' | 'passed' | 'regressed' | 'accepted';
  /** What relative rates were relative to: the next run is offered the same. */
  readonly capacities: readonly Capacity[];
  readonly cells: readonly HistoryCell[];
}

export interface Capacity {
  readonly system: string;
  readonly transport: string;
  readonly perSecond: number;
}

export interface HistoryCell {
  readonly system: string;
  readonly load: string;
  readonly transport: string;
  /** VALID trials. */
  readonly trials: readonly HistoryTrial[];
  readonly invalid: number;
  readonly failed: number;
}

export interface HistoryTrial {
  readonly repeat: number;
  readonly figures: Readonly<Record<ComparedName, number | null>>;
  /** In ns, by `GRID`; null where there are too few requests for it. */
  readonly quantilesNs: readonly (number | null)[];
}

/** A run as an entry of the history; its records are read for the quantiles. */
export function entryOf(
  run: StoredRun,
  verdict: HistoryEntry['verdict'] = 'recorded',
  capacities: readonly Capacity[] = capacitiesOf(run),
): HistoryEntry {
  const { environment, plan, outcomes, folder } = run;
  const measured = outcomes.flatMap((outcome) => (outcome.state === 'completed' ? [outcome.summary.startedAt] : []));
  return {
    schema: HISTORY_SCHEMA,
    scenario: plan.scenario,
    at: measured.sort()[0] ?? environment.capturedAt,
    runFolder: folder,
    commit: environment.servemark.commit,
    version: environment.servemark.version,
    modelSha256: plan.model.sha256,
    machine: machineOf(environment),
    verdict,
    capacities,
    cells: cellsOf(run),
  };
}

/** Where entries of a scenario lie. */
export function historyFolder(root: string, scenario: string): string {
  return join(root, safeName(scenario));
}

/** Adds an entry; answers its path. Throws UserError where the disk refuses. */
export function recordEntry(root: string, entry: HistoryEntry): string {
  const folder = historyFolder(root, entry.scenario);
  const name = entry.at.replaceAll(/[:.]/g, '-');
  let path = join(folder, `${name}.json`);
  for (let n = 2; existsSync(path); n++) path = join(folder, `${name}-${n}.json`);
  writeJsonAtomic(path, entry, 'the entry in the history');
  return path;
}

/** The entries of a scenario, oldest first; broken files and those of other versions are told to `onSkipped`. */
export function readHistory(
  root: string,
  scenario: string,
  onSkipped: (path: string) => void = () => {},
): HistoryEntry[] {
  const folder = historyFolder(root, scenario);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const entries = files.flatMap((name) => {
    const entry = readJsonIfWhole(join(folder, name)) as HistoryEntry | undefined;
    if (entry?.schema === HISTORY_SCHEMA && Array.isArray(entry.cells)) return [entry];
    onSkipped(join(folder, name));
    return [];
  });
  return entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** Names of the scenarios that have a history under a root. Throws UserError where there is none. */
export function historyNames(root: string): string[] {
  const names = existsSync(root)
    ? readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
    : [];
  if (names.length > 0) return names.sort();
  throw new UserError({
    place: root,
    found: 'there is no history yet',
    remedy: 'servemark gate SCENARIO makes one, run by run',
  });
}

/** What the capacity probes of a run found. */
export function capacitiesOf({ outcomes }: StoredRun): Capacity[] {
  return outcomes.flatMap((outcome) => {
    if (outcome.state !== 'completed' || outcome.summary.trial.loadType !== 'probe') return [];
    const { trial, throughputPerSecond: perSecond } = outcome.summary;
    return perSecond === null ? [] : [{ system: trial.system, transport: trial.transport, perSecond }];
  });
}

function machineOf({ cpu, host, node }: Environment): Record<string, string> {
  return {
    cpu: cpu.model,
    cores: String(cpu.logicalCores),
    architecture: `${host.platform} ${host.architecture}`,
    node: node.version.split('.')[0]!,
  };
}

function cellsOf(run: StoredRun): HistoryCell[] {
  const cells = new Map<
    string,
    { -readonly [Key in keyof HistoryCell]: HistoryCell[Key] } & { trials: HistoryTrial[] }
  >();
  for (const outcome of run.outcomes) {
    const trial = outcome.state === 'completed' ? outcome.summary.trial : outcome.trial;
    if (trial.loadType === 'probe' || trial.loadType === 'accuracy' || trial.simulated) continue;
    const { system, load, transport } = trial;
    const key = JSON.stringify([system, load, transport]);
    const cell = cells.get(key) ?? { system, load, transport, trials: [], invalid: 0, failed: 0 };
    cells.set(key, cell);
    if (outcome.state === 'failed') cell.failed++;
    else if (outcome.state === 'completed' && outcome.summary.verdict.state === 'INVALID') cell.invalid++;
    else if (outcome.state === 'completed')
      cell.trials.push(trialOf(outcome.summary, readTrialRecords(run.folder, trial.id)));
  }
  return [...cells.values()];
}

function trialOf(summary: TrialSummary, records: RecordTable | undefined): HistoryTrial {
  const figures = Object.fromEntries(COMPARED.map(({ name, of }) => [name, of(summary)]));
  return {
    repeat: summary.trial.repeat,
    figures: figures as HistoryTrial['figures'],
    quantilesNs: records ? quantilesOf(records) : GRID.map(() => null),
  };
}

function quantilesOf(records: RecordTable): (number | null)[] {
  const ok = OUTCOMES.indexOf('ok');
  const latencies = new Float64Array(records.length).fill(Number.NaN);
  for (let row = 0; row < records.length; row++)
    if (records.warmUp[row] === 0 && records.outcome[row] === ok)
      latencies[row] = records.completedNs[row]! - records.dueNs[row]!;
  const sorted = ascending(latencies);
  // Below the median a quantile needs as many requests as its mirror image above it.
  return GRID.map((p) => (sorted.length < percentileFloor(Math.max(p, 1 - p)) ? null : percentile(sorted, p)));
}
