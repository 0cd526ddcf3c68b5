import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readRecords } from './arrow.js';
import type { Environment } from './environment.js';
import { UserError } from './errors.js';
import {
  endsWith,
  fileError,
  makeFolders,
  readJsonIfWhole,
  systemCode,
  writeFileAtomic,
  writeJsonAtomic,
} from './files.js';
import { isLocked, takeLock } from './lock.js';
import type { Readings } from './readings.js';
import { readReadings, writeReadings } from './readings-arrow.js';
import type { RecordTable } from './record.js';
import { RUN_SCHEMA, type RunPlan, type StoredRun } from './run.js';
import { SUMMARY_SCHEMA, type TrialOutcome, type TrialSummary } from './summary.js';

/**
 * A run folder that this process writes. It is complete after every call, so that a crash costs one trial:
 * `plan.json`, `environment.json`, `scenario.yaml`, `state.json`, `trials/<id>/{summary.json, records.arrow, readings.arrow}` or
 * `failed.json` or `skipped.json`. Every method throws UserError where the disk refuses, saying what is lost.
 */
export interface RunStore {
  readonly folder: string;
  /** The trial's folder, made if need be. */
  trialFolder(trialId: string): string;
  /** Where the load process writes the trial's records; the folder exists. */
  recordsPath(trialId: string): string;
  /** Writes what the monitors read, beside the records. */
  writeReadings(trialId: string, readings: Readings): void;
  writeOutcome(outcome: TrialOutcome): void;
  /** Replaces the plan by one with more trials: of runs that decide on the way what comes next. */
  growPlan(plan: RunPlan): void;
  /** The last word; releases the lock. */
  finish(state: 'completed' | 'interrupted'): void;
}

/** Makes `<root>/<timestamp>-<scenario>/` with plan, environment and scenario in it, before anything starts. */
export function createRun(
  root: string,
  plan: RunPlan,
  environment: Environment,
  options: { readonly scenarioText?: string | undefined; readonly now?: Date | undefined } = {},
): RunStore {
  checkIds(plan);
  const folder = newFolder(root, `${timestamp(options.now ?? new Date())}-${safeName(plan.scenario)}`);
  const release = takeLock(join(folder, LOCK));
  writeJsonAtomic(join(folder, 'plan.json'), plan, 'the whole run');
  writeJsonAtomic(join(folder, 'environment.json'), environment, 'the whole run');
  if (options.scenarioText !== undefined)
    writeFileAtomic(join(folder, 'scenario.yaml'), options.scenarioText, 'the whole run');
  return storeOf(folder, release);
}

/** Opens a run to go on with it (`--resume`). Throws UserError where it is no run folder or somebody is writing it. */
export function resumeRun(folder: string): RunStore {
  readPlan(folder);
  return storeOf(folder, takeLock(join(folder, LOCK)));
}

/** Reads a run folder, of any age and however it ended: a trial that a crash left half-written is not there. */
export function readRun(folder: string): StoredRun {
  const plan = readPlan(folder);
  const environment = readJsonIfWhole(join(folder, 'environment.json')) as Environment | undefined;
  if (typeof environment?.schema !== 'number') throw notARun(folder, 'environment.json is missing or broken');
  const trials = plan.trials.map(({ identity }) => readTrial(folder, identity.id));
  const outcomes = trials.flatMap(({ outcome }) => outcome ?? []);
  const damaged = trials.flatMap((trial) => trial.damaged);
  return { folder, plan, environment, outcomes, state: readState(folder), ...(damaged.length > 0 && { damaged }) };
}

/** A trial's records; undefined where there are none, or where they are broken. */
export function readTrialRecords(folder: string, trialId: string): RecordTable | undefined {
  try {
    return readRecords(join(folder, 'trials', trialId, RECORDS));
  } catch {
    return undefined;
  }
}

/** What a trial's monitors read; undefined where none ran (older runs), or where the file is broken. */
export function readTrialReadings(folder: string, trialId: string): Readings | undefined {
  try {
    return readReadings(join(folder, 'trials', trialId, READINGS));
  } catch {
    return undefined;
  }
}

/** A name that any file system takes: `half of it / rest` → `half-of-it-rest`. */
export function safeName(text: string): string {
  const name = text
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
  return name.slice(0, 100) || 'run';
}

const LOCK = 'lock';
const RECORDS = 'records.arrow';
const READINGS = 'readings.arrow';
const STATE_FILES = { completed: 'summary.json', failed: 'failed.json', skipped: 'skipped.json' } as const;

function storeOf(folder: string, release: () => void): RunStore {
  const state = (value: StoredRun['state']) =>
    writeJsonAtomic(join(folder, 'state.json'), { state: value }, 'the note of how the run ended');
  state('running');
  const trialFolder = (trialId: string) => makeFolder(join(folder, 'trials', trialId), 'this trial');
  return {
    folder,
    trialFolder,
    recordsPath: (trialId) => join(trialFolder(trialId), RECORDS),
    writeReadings: (trialId, readings) => writeReadings(join(trialFolder(trialId), READINGS), readings),
    writeOutcome: (outcome) => writeOutcome(trialFolder(idOf(outcome)), outcome),
    growPlan(plan) {
      checkIds(plan);
      writeJsonAtomic(join(folder, 'plan.json'), plan, 'the trials from here on');
    },
    finish(value) {
      state(value);
      release();
    },
  };
}

function idOf(outcome: TrialOutcome): string {
  return outcome.state === 'completed' ? outcome.summary.trial.id : outcome.trial.id;
}

function writeOutcome(folder: string, outcome: TrialOutcome): void {
  const content = outcome.state === 'completed' ? outcome.summary : outcome;
  writeJsonAtomic(join(folder, STATE_FILES[outcome.state]), content, 'the result of this trial');
  // A resumed trial leaves one outcome. The new one is on disk before the old one goes.
  for (const [state, file] of Object.entries(STATE_FILES))
    if (state !== outcome.state) rmSync(join(folder, file), { force: true });
}

/** How a trial ended, and what lies in its folder and can't be read: nothing of this version writes such a file, so something happened to it. */
function readTrial(folder: string, trialId: string): { outcome: TrialOutcome | undefined; damaged: string[] } {
  const inRun = (file: string) => join('trials', trialId, file);
  const isThere = (file: string) => existsSync(join(folder, inRun(file)));
  const read = (file: string) => readJsonIfWhole(join(folder, inRun(file)));
  const isCut = (file: string) => isThere(file) && !endsWith(join(folder, inRun(file)), ARROW_END);
  const damaged = [RECORDS, READINGS].filter(isCut).map(inRun);
  const summary = read(STATE_FILES.completed) as TrialSummary | undefined;
  if (summary?.schema === SUMMARY_SCHEMA && summary.trial?.id === trialId)
    return { outcome: { state: 'completed', summary }, damaged };
  if (isThere(STATE_FILES.completed)) damaged.unshift(inRun(STATE_FILES.completed));
  const other = (read(STATE_FILES.failed) ?? read(STATE_FILES.skipped)) as TrialOutcome | undefined;
  return { outcome: other?.state === 'failed' || other?.state === 'skipped' ? other : undefined, damaged };
}

/** The last bytes of every Arrow file. */
const ARROW_END = 'ARROW1';

/** A run that says it is running, but whose process is gone, was interrupted. */
function readState(folder: string): StoredRun['state'] {
  const found = readJsonIfWhole(join(folder, 'state.json')) as { readonly state?: unknown } | undefined;
  if (found?.state === 'completed') return 'completed';
  return found?.state === 'running' && isLocked(join(folder, LOCK)) ? 'running' : 'interrupted';
}

function readPlan(folder: string): RunPlan {
  const plan = readJsonIfWhole(join(folder, 'plan.json')) as RunPlan | undefined;
  if (!plan) throw notARun(folder, existsSync(folder) ? 'plan.json is missing or broken' : 'there is no such folder');
  if (plan.schema !== RUN_SCHEMA)
    throw notARun(folder, `its schema is ${String(plan.schema)}`, `schema ${RUN_SCHEMA}, of this version of servemark`);
  if (!Array.isArray(plan.trials)) throw notARun(folder, 'plan.json is broken: it lists no trials');
  return plan;
}

function notARun(folder: string, found: string, allowed = 'a run folder that servemark wrote'): UserError {
  return new UserError({ place: folder, found, allowed });
}

/** Trial ids are folder names: safe on every file system, and different even where case does not count. */
function checkIds(plan: RunPlan): void {
  const seen = new Set<string>();
  const problems = plan.trials.flatMap(({ identity: { id } }) => {
    const bad = !/^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/.test(id) || id.endsWith('.');
    const twice = seen.has(id.toLowerCase());
    seen.add(id.toLowerCase());
    if (!bad && !twice) return [];
    return [
      {
        place: `trial ${JSON.stringify(id)}`,
        found: bad ? 'the name can’t be a folder’s' : 'two trials have this name (upper and lower case count as one)',
        allowed: 'letters, digits, ".", "_" and "-", at most 200',
        remedy: 'Rename the system, the load or the transport',
      },
    ];
  });
  if (problems.length > 0) throw new UserError(problems);
}

function newFolder(root: string, name: string): string {
  makeFolder(root, 'the whole run');
  for (let n = 1; ; n++) {
    const folder = join(root, n === 1 ? name : `${name}-${n}`);
    try {
      mkdirSync(folder);
      return folder;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw fileError(folder, error, 'the whole run');
    }
  }
}

/** Makes a folder and those above it. Throws UserError where the disk refuses. */
export function makeFolder(folder: string, loses: string): string {
  try {
    makeFolders(folder);
    return folder;
  } catch (error) {
    throw fileError(folder, error, loses);
  }
}

/** `20260131-235959`, local time: what a person looks for in a list of folders. */
function timestamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}

/** Finished runs under a root, newest last. */
export function listRuns(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, entry.name, 'plan.json')))
    .map((entry) => join(root, entry.name))
    .sort();
}
