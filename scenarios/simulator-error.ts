import { fileURLToPath } from 'node:url';
import { UserError } from '../results/errors.js';
import { packageRoot } from '../results/package.js';
import type { StoredRun } from '../results/run.js';
import { median } from '../results/stats/index.js';
import { listRuns, readRun } from '../results/store.js';
import type { TrialSummary } from '../results/summary.js';
import type { TrialSpec } from './contract.js';
import { RESULTS_ROOT } from './progress.js';

/** How far off the simulator was where it was last held against real trials: simulated ÷ measured − 1, medians over trials. */
export interface SimulatorError {
  /** null: never. */
  readonly run: string | null;
  readonly strategy: string | null;
  readonly trials: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly throughput: number | null;
  /** The machine that it was measured on; null: none. */
  readonly host: string | null;
  /** For reports. */
  readonly text: string;
}

/** Runs that came with the program, made elsewhere: read after those made here. */
const REFERENCE = fileURLToPath(new URL('results/reference', packageRoot));

/**
 * The nearest calibration: the newest run with real and simulated twins of this strategy, else of any strategy; runs made here
 * before those that came with the program.
 */
export function errorOfSimulator(
  strategy: string,
  roots: readonly string[] = [RESULTS_ROOT, REFERENCE],
): SimulatorError {
  let other: SimulatorError | undefined;
  for (const root of roots)
    for (const folder of listRuns(root).reverse()) {
      const run = readable(folder);
      if (!run) continue;
      const own = errorIn(run, strategy, root === REFERENCE);
      if (own) return own;
      other ??= errorIn(run, undefined, root === REFERENCE);
    }
  return other ?? NEVER;
}

const NEVER: SimulatorError = {
  ...{ run: null, strategy: null, trials: 0, p50: null, p99: null, throughput: null, host: null },
  text: 'The simulator was not held against real trials on this machine: nothing is known of its error. A scenario with `simulate: true` does so.',
};

function readable(folder: string): StoredRun | undefined {
  try {
    return readRun(folder);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** A machine that others used while it was measured is another machine. */
function hostOf({ environment: { cpu, load, capturedAt } }: StoredRun): string {
  const busy = load.average1m !== null && load.average1m > cpu.logicalCores;
  const others = busy ? `, which was busy with other things (load average ${load.average1m!.toFixed(1)})` : '';
  return `${cpu.model}, ${cpu.logicalCores} cores, ${capturedAt.slice(0, 10)}${others}`;
}

interface Twins {
  readonly real: TrialSummary;
  readonly simulated: TrialSummary;
  readonly strategy: string;
}

function errorIn(run: StoredRun, strategy: string | undefined, cameAlong: boolean): SimulatorError | undefined {
  const twins = twinsOf(run).filter((each) => strategy === undefined || each.strategy === strategy);
  if (twins.length === 0) return undefined;
  const error = (of: (summary: TrialSummary) => number | null) => {
    const errors = twins.flatMap(({ real, simulated }) => {
      const [measured, said] = [of(real), of(simulated)];
      return measured && said !== null ? [said / measured - 1] : [];
    });
    return errors.length === 0 ? null : median(errors);
  };
  const [p50, p99] = [error(({ latencyNs }) => latencyNs.p50.value), error(({ latencyNs }) => latencyNs.p99.value)];
  const throughput = error(({ throughputPerSecond }) => throughputPerSecond);
  const name = twins[0]!.strategy;
  const what = strategy === undefined ? `${name} (this strategy was never served beside its simulation)` : name;
  const host = hostOf(run);
  const where = cameAlong
    ? `the run that came with servemark, not on this machine but on ${host}`
    : `${run.folder}, on ${host}`;
  const remedy = cameAlong ? ' Measure your own: servemark run scenarios/simulator-ten.yaml.' : '';
  return {
    ...{ run: run.folder, strategy: name, trials: twins.length, p50, p99, throughput, host },
    text: `Simulator error where last measured, ${what}, ${twins.length} trials in ${where}: p50 ${percent(p50)}, p99 ${percent(p99)}, throughput ${percent(throughput)}.${remedy}`,
  };
}

function twinsOf(run: StoredRun): Twins[] {
  const strategies = new Map(
    run.plan.trials.map(({ identity, detail }) => [
      identity.id,
      (detail as Partial<TrialSpec> | null)?.system?.strategy?.name ?? '?',
    ]),
  );
  const summaries = run.outcomes.flatMap((outcome) => (outcome.state === 'completed' ? [outcome.summary] : []));
  const simulated = new Map(summaries.filter(({ trial }) => trial.simulated).map((each) => [each.trial.id, each]));
  return summaries.flatMap((real) => {
    const twin = real.trial.simulated ? undefined : simulated.get(`${real.trial.id}.simulated`);
    return twin ? [{ real, simulated: twin, strategy: strategies.get(real.trial.id)! }] : [];
  });
}

function percent(error: number | null): string {
  return error === null ? 'unknown' : `${error < 0 ? '−' : '+'}${Math.abs(error * 100).toFixed(0)} %`;
}
