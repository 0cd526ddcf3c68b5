import { UserError } from '../../results/errors.js';
import { listRuns, readRun } from '../../results/store.js';
import type { CommandDefinition } from '../contract.js';
import { loadScenario } from '../load.js';
import { estimateNs } from '../plan.js';
import { planWithModels } from '../prepare.js';
import { announce, conclude, interruptible, RESULTS_ROOT, showProgress } from '../progress.js';
import { type FinishedRun, resumeScenario, runScenario } from '../run.js';

interface RunCommandOptions {
  readonly out: string;
  readonly resume?: string | true;
  readonly strict?: boolean;
  readonly quiet?: boolean;
}

export const runCommand: CommandDefinition = {
  name: 'run',
  summary: 'run a scenario: measure, judge, report',
  configure(command, finish) {
    command
      .argument('[scenario]', 'scenario file')
      .option('--out <folder>', 'where run folders go', RESULTS_ROOT)
      .option('--resume [run-folder]', 'go on with an interrupted run (default: the newest one of this scenario)')
      .option('--strict', 'exit with 1 where a trial is INVALID or failed, or a target is missed')
      .option('--quiet', 'no progress, only the report')
      .action((file: string | undefined, options: RunCommandOptions) => finish(run(file, options)));
  },
};

async function run(file: string | undefined, options: RunCommandOptions): Promise<number> {
  const stop = interruptible();
  if (options.resume !== undefined) return resume(file, options, stop);
  if (file === undefined)
    throw new UserError({
      place: 'servemark run',
      found: 'no scenario is named',
      remedy: 'servemark run scenarios/quickstart.yaml, or servemark run --resume',
    });
  const scenario = loadScenario(file);
  const prepared = await planWithModels(scenario, `servemark run ${file}`);
  announce(scenario.question, prepared.trials.length, estimateNs(scenario, prepared.trials));
  const progress = showProgress(options.quiet ?? false);
  const finished = await progress.during(
    runScenario(scenario, prepared, { resultsRoot: options.out, signal: stop.signal, onEvent: progress.onEvent }),
  );
  return end(finished, options);
}

async function resume(file: string | undefined, options: RunCommandOptions, stop: AbortController): Promise<number> {
  const folder = typeof options.resume === 'string' ? options.resume : newestInterrupted(options.out, file);
  const { plan, outcomes } = readRun(folder);
  announce(
    plan.question,
    plan.trials.length - outcomes.filter((outcome) => outcome.state === 'completed').length,
    undefined,
  );
  const progress = showProgress(options.quiet ?? false);
  const finished = await progress.during(
    resumeScenario(folder, { resultsRoot: options.out, signal: stop.signal, onEvent: progress.onEvent }),
  );
  return end(finished, options);
}

function end(finished: FinishedRun, options: RunCommandOptions): Promise<number> {
  return conclude(finished, options.strict ?? false);
}

function newestInterrupted(root: string, file: string | undefined): string {
  const found = interruptedRuns(root, file).at(-1);
  if (found) return found;
  throw new UserError({
    place: '--resume',
    found: `no interrupted run${file ? ` of ${file}` : ''} lies in ${root}`,
    remedy: 'Name its folder: --resume results/runs/…',
  });
}

function interruptedRuns(root: string, file: string | undefined): string[] {
  const name = file?.replace(/^.*[/\\]/, '').replace(/\.ya?ml$/, '');
  return listRuns(root).filter((folder) => {
    const stored = readRun(folder);
    return stored.state === 'interrupted' && (name === undefined || stored.plan.scenario === name);
  });
}
