import { readFileSync } from 'node:fs';
import type { DriveProgress } from '../clients/job.js';
import { captureEnvironment } from '../results/capture.js';
import { messageOf } from '../results/errors.js';
import type { RecentReading } from '../results/monitors/index.js';
import type { Capacity } from '../results/regression/index.js';
import { writeReports } from '../results/report.js';
import type { RunPlan } from '../results/run.js';
import { createRun, type RunStore, readRun, resumeRun } from '../results/store.js';
import type { TrialOutcome } from '../results/summary.js';
import type { Scenario, TrialSpec } from './contract.js';
import type { RunSettings } from './plan.js';
import { makeVariants, type PlannedRun, type PreparedPlan } from './prepare.js';
import { Profiles } from './profiling.js';
import { calibrationOf } from './roofline.js';
import { simulateOutcome } from './simulate.js';
import { resolveRate, runTrial, type TrialContext, unavailable } from './trial.js';

/** What a run tells while it goes; the CLI listens, nothing here prints. */
export type RunEvent =
  | { readonly kind: 'trial'; readonly spec: TrialSpec; readonly index: number; readonly total: number }
  | {
      readonly kind: 'progress';
      readonly progress: DriveProgress;
      readonly recent?: (() => readonly RecentReading[]) | undefined;
    }
  | { readonly kind: 'outcome'; readonly outcome: TrialOutcome }
  | { readonly kind: 'note'; readonly text: string };

export interface RunOptions {
  readonly resultsRoot: string;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  /** A cost table for every model instead of a measured one. */
  readonly profilePath?: string | undefined;
  /** Also loads that the calibrated load processes are not good for. */
  readonly force?: boolean | undefined;
  /** Write reports at the end; default true. Names of views: only these. */
  readonly reports?: boolean | readonly string[] | undefined;
}

export interface FinishedRun {
  readonly folder: string;
  readonly state: 'completed' | 'interrupted';
  readonly reports: readonly string[];
}

/** Runs a planned scenario into a new folder. */
export async function runScenario(
  scenario: Scenario,
  prepared: PreparedPlan,
  options: RunOptions,
): Promise<FinishedRun> {
  return runPrepared(prepared, readFileSync(scenario.file, 'utf8'), options);
}

/** Runs a plan, however it was made, into a new folder. */
export async function runPrepared(
  { stored, trials }: PlannedRun,
  scenarioText: string | undefined,
  options: RunOptions,
): Promise<FinishedRun> {
  const store = createRun(options.resultsRoot, stored, captureEnvironment(), { scenarioText });
  return execute(stored.settings as RunSettings, trials, store, options);
}

/**
 * Goes on with a run that was interrupted: its stored plan, not the scenario file, says what is left. Trials that have an
 * outcome stay as they are; failed ones are tried again.
 */
export async function resumeScenario(folder: string, options: RunOptions): Promise<FinishedRun> {
  const run = readRun(folder);
  const store = resumeRun(folder);
  const trials = trialsOf(run.plan);
  const settings = run.plan.settings as RunSettings;
  await makeVariants(
    trials.map(({ identity, system }) => ({ model: system.model, place: identity.id })),
    options.signal,
  );
  return execute(settings, trials, store, options, run.outcomes);
}

/** The trials of a stored plan. */
export function trialsOf(plan: RunPlan): TrialSpec[] {
  return plan.trials.map((trial) => trial.detail as TrialSpec);
}

async function execute(
  settings: RunSettings,
  trials: readonly TrialSpec[],
  store: RunStore,
  options: RunOptions,
  earlier: readonly TrialOutcome[] = [],
): Promise<FinishedRun> {
  const { signal } = options;
  const done = new Set(earlier.flatMap((outcome) => (outcome.state === 'completed' ? [outcome.summary.trial.id] : [])));
  const runner = trialRunner(settings, store, options, earlier);
  let state: FinishedRun['state'] = 'completed';
  try {
    for (const [index, spec] of trials.entries()) {
      if (signal.aborted) break;
      if (done.has(spec.identity.id)) continue;
      await runner.run(spec, index, trials.length);
    }
  } catch (error) {
    // An abort drops the trial under way (it is done again on resume); everything else is a fault that must be seen.
    if (!signal.aborted) {
      store.finish('interrupted');
      throw error;
    }
  }
  if (signal.aborted) state = 'interrupted';
  store.finish(state);
  return { folder: store.folder, state, reports: await reportsOf(store.folder, options.reports) };
}

function reportsOf(folder: string, wanted: RunOptions['reports'] = true): Promise<string[]> {
  if (wanted === false) return Promise.resolve([]);
  return writeReports(folder, wanted === true ? {} : { views: wanted });
}

/** Carries trials out one by one and keeps what later ones need: capacities, cost tables. */
export interface TrialRunner {
  readonly profiles: Profiles;
  /** The load's options with a relative rate made absolute, or why that can't be. */
  resolve(spec: TrialSpec): ReturnType<typeof resolveRate>;
  /** Runs the trial, writes its outcome and tells of both. Throws only when aborted or where the disk refuses. */
  run(spec: TrialSpec, index: number, total: number): Promise<TrialOutcome>;
}

export function trialRunner(
  settings: RunSettings,
  store: RunStore,
  { signal, onEvent, profilePath, force }: Pick<RunOptions, 'signal' | 'onEvent' | 'profilePath' | 'force'>,
  earlier: readonly TrialOutcome[] = [],
): TrialRunner {
  const capacities = new Capacities(settings.capacities ?? [], earlier);
  const accuracies = new Map<string, number>();
  for (const outcome of earlier) keepAccuracy(outcome, accuracies);
  const profiles = new Profiles(store.folder, signal, (text) => onEvent({ kind: 'note', text }), profilePath);
  const context: TrialContext = {
    ...settings,
    force,
    calibration: calibrationOf(captureEnvironment()),
    bootstrapSeed: BigInt(settings.bootstrapSeed),
    capacity: (system, transport) => capacities.find(system, transport),
    accuracy: (system, transport) => accuracies.get(key(system, transport)),
    profile: (model) => profiles.find(model),
    onProgress: (progress, recent) => onEvent({ kind: 'progress', progress, recent }),
    onEvent: (text) => onEvent({ kind: 'note', text }),
  };
  return {
    profiles,
    resolve: (spec) => resolveRate(spec, context),
    async run(spec, index, total) {
      onEvent({ kind: 'trial', spec, index, total });
      const outcome = await carryOut(spec, context, store, profiles, signal);
      store.writeOutcome(outcome);
      capacities.add(outcome);
      keepAccuracy(outcome, accuracies);
      onEvent({ kind: 'outcome', outcome });
      return outcome;
    },
  };
}

/** A cost table that can't be measured fails the trials that need it, not the run. */
async function carryOut(
  spec: TrialSpec,
  context: TrialContext,
  store: RunStore,
  profiles: Profiles,
  signal: AbortSignal,
): Promise<TrialOutcome> {
  const lacking = spec.identity.simulated ? undefined : unavailable(spec);
  if (lacking) return lacking;
  try {
    await profiles.prepare(spec.system);
  } catch (error) {
    signal.throwIfAborted();
    return { state: 'failed', trial: spec.identity, error: messageOf(error), lastLines: [] };
  }
  if (spec.identity.simulated) return simulateOutcome(spec, context, store, profiles);
  return runTrial(spec, context, store, signal);
}

/** What accuracy mode found, by system and transport: what relative targets are relative to. */
function keepAccuracy(outcome: TrialOutcome, accuracies: Map<string, number>): void {
  if (outcome.state !== 'completed' || outcome.summary.trial.loadType !== 'accuracy') return;
  const { trial, accuracy } = outcome.summary;
  if (accuracy) accuracies.set(key(trial.system, trial.transport), accuracy.value);
}

/** What the probes found, by system and transport. */
class Capacities {
  readonly #found = new Map<string, number>();

  constructor(given: readonly Capacity[], outcomes: readonly TrialOutcome[]) {
    for (const { system, transport, perSecond } of given) this.#found.set(key(system, transport), perSecond);
    for (const outcome of outcomes) this.add(outcome);
  }

  add(outcome: TrialOutcome): void {
    if (outcome.state !== 'completed' || outcome.summary.trial.loadType !== 'probe') return;
    const { trial, throughputPerSecond } = outcome.summary;
    if (throughputPerSecond !== null) this.#found.set(key(trial.system, trial.transport), throughputPerSecond);
  }

  find(system: string, transport: string): number | undefined {
    return this.#found.get(key(system, transport));
  }
}

function key(system: string, transport: string): string {
  return JSON.stringify([system, transport]);
}
