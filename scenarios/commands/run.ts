import { captureEnvironment } from '../../results/capture.js';
import { UserError } from '../../results/errors.js';
import type { StoredRun } from '../../results/run.js';
import { listRuns, readRun } from '../../results/store.js';
import type { CommandDefinition } from '../contract.js';
import { type LiveOptions, showLive } from '../live.js';
import { loadScenario } from '../load.js';
import { estimateNs } from '../plan.js';
import { planWithModels } from '../prepare.js';
import { announce, conclude, interruptible, RESULTS_ROOT, showProgress } from '../progress.js';
import { calibrationOf, checkRooflines } from '../roofline.js';
import { type FinishedRun, type RunEvent, resumeScenario, runScenario } from '../run.js';
import { scaled } from '../scale.js';

interface RunCommandOptions extends LiveOptions {
  readonly out: string;
  readonly resume?: string | true;
  readonly strict?: boolean;
  readonly quiet?: boolean;
  readonly force?: boolean;
  readonly scale?: string;
}

export const runCommand: CommandDefinition = {
  name: 'run',
  summary: 'run a scenario: measure, judge, report',
  configure(command, finish) {
    command
      .argument('[scenario]', 'scenario file')
      .option('--out <folder>', 'where run folders go', RESULTS_ROOT)
      .option(
        '--resume [run-folder]',
        'go on with an interrupted run (default: the newest, or the newest of the scenario)',
      )
      .option('--strict', 'exit with 1 where a trial is INVALID or failed, or a target is missed')
      .option(
        '--force',
        'also loads above 70 % of what the calibrated load processes can do: they run, and are INVALID',
      )
      .option('--scale <factor>', 'loads so many times as long, their phases with them')
      .option('--quiet', 'no progress, only the report')
      .option('--ui', 'a live page on this machine while it runs: rate, latency, queue and device')
      .option('--ui-port <port>', 'its port (default: a free one)')
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
  const scenario = scaled(loadScenario(file), options.scale);
  const command = `servemark run ${file}${options.scale === undefined ? '' : ` --scale ${options.scale}`}`;
  const prepared = await planWithModels(scenario, command);
  const { force = false } = options;
  if (!force) checkRooflines(scenario, prepared.trials, prepared.requestBytes, calibrationOf(captureEnvironment()));
  announce(scenario.question, prepared.trials.length, estimateNs(scenario, prepared.trials));
  return watched(scenario.question, options, (onEvent) =>
    runScenario(scenario, prepared, { resultsRoot: options.out, signal: stop.signal, onEvent, force }),
  );
}

async function resume(file: string | undefined, options: RunCommandOptions, stop: AbortController): Promise<number> {
  const folder = folderToResume(file, options);
  const { plan, outcomes } = readRun(folder);
  if (plan.settings === undefined)
    throw new UserError({
      place: folder,
      found: 'a run of `servemark drive` is one trial, and nothing of it is left to do',
      remedy: `Start it again: ${plan.command}`,
    });
  announce(
    plan.question,
    plan.trials.length - outcomes.filter((outcome) => outcome.state === 'completed').length,
    undefined,
  );
  return watched(plan.question, options, (onEvent) =>
    resumeScenario(folder, { resultsRoot: options.out, signal: stop.signal, onEvent, force: options.force }),
  );
}

/** Progress in the terminal and, where asked for, on the live page; then the report. */
async function watched(
  question: string,
  options: RunCommandOptions,
  start: (onEvent: (event: RunEvent) => void) => Promise<FinishedRun>,
): Promise<number> {
  const live = await showLive(question, options);
  const progress = showProgress(options.quiet ?? false);
  let finished: FinishedRun | undefined;
  try {
    finished = await progress.during(
      start((event) => {
        progress.onEvent(event);
        live.onEvent(event);
      }),
    );
  } finally {
    await live.end(finished);
  }
  return conclude(finished, options.strict ?? false);
}

/** `--resume FOLDER`, `--resume` alone, and both orders of `--resume scenario.yaml`. */
function folderToResume(file: string | undefined, { resume, out }: RunCommandOptions): string {
  if (typeof resume !== 'string') return newestUnfinished(out, file);
  return /\.ya?ml$/.test(resume) ? newestUnfinished(out, resume) : resume;
}

function newestUnfinished(root: string, file: string | undefined): string {
  const found = unfinishedRuns(root, file).at(-1);
  if (found) return found;
  throw new UserError({
    place: '--resume',
    found: `no run${file ? ` of ${file}` : ''} with anything left to do lies in ${root}`,
    remedy: 'Name its folder: --resume results/runs/…',
  });
}

/** Interrupted, or with trials that failed (a full disk, say): those are tried again. */
function unfinishedRuns(root: string, file: string | undefined): string[] {
  const name = file?.replace(/^.*[/\\]/, '').replace(/\.ya?ml$/, '');
  return listRuns(root).filter((folder) => {
    const stored = readable(folder);
    if (stored?.plan.settings === undefined || stored.state === 'running') return false;
    const over = stored.outcomes.filter((outcome) => outcome.state !== 'failed').length;
    if (over === stored.plan.trials.length) return false;
    return name === undefined || stored.plan.scenario === name;
  });
}

/** A folder that a crash left without its first files, or of another version, is nobody's to resume. */
function readable(folder: string): StoredRun | undefined {
  try {
    return readRun(folder);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
