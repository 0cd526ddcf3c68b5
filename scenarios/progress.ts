import { Listr } from 'listr2';
import pc from 'picocolors';
import { renderReport } from '../results/report.js';
import { readRun } from '../results/store.js';
import type { TrialOutcome, TrialSummary } from '../results/summary.js';
import { formatDuration, formatRate } from '../results/units.js';
import { EXIT } from './contract.js';
import type { FinishedRun, RunEvent } from './run.js';

export const RESULTS_ROOT = 'results/runs';
/** Where `servemark gate` keeps what nights came to. */
export const HISTORY_ROOT = 'results/history';

/** The first lines of a run. */
export function announce(question: string, trials: number, estimate: number | undefined): void {
  const length = estimate === undefined ? '' : `, about ${formatDuration(estimate)}`;
  process.stdout.write(
    `${pc.bold(question)}\n${pc.dim(`${trials} ${trials === 1 ? 'trial' : 'trials'}${length}. Ctrl-C ends the current one and reports what there is.`)}\n`,
  );
}

/** Aborts at the first SIGINT or SIGTERM; the second ends the process where it stands. */
export function interruptible(): AbortController {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new Error('interrupted'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller;
}

export interface ProgressView {
  readonly onEvent: (event: RunEvent) => void;
  /** Shows progress while the work goes on; passes its result or its error through. */
  during<T>(work: Promise<T>): Promise<T>;
}

/** One moving line on a terminal; silent elsewhere, where only what went wrong is said. */
export function showProgress(quiet: boolean): ProgressView {
  const live = !quiet && (process.stdout.isTTY ?? false);
  let show: { title: string; output: string } | undefined;
  const startedAt = Date.now();
  return {
    onEvent(event) {
      if (event.kind === 'outcome' && event.outcome.state === 'failed')
        process.stderr.write(`${pc.red('failed')} ${event.outcome.trial.id}: ${event.outcome.error}\n`);
      if (event.kind === 'note' && !live) process.stderr.write(`${event.text}\n`);
      if (show) update(show, event, startedAt);
    },
    async during(work) {
      if (!live) return work;
      const list = new Listr<object>(
        [
          {
            title: 'starting',
            task: async (_, task) => {
              show = task;
              await work.catch(() => {});
              task.title = `${formatDuration((Date.now() - startedAt) * 1e6)}, measured`;
            },
          },
        ],
        { registerSignalListeners: false, rendererOptions: { showSubtasks: false } },
      );
      await list.run();
      return work;
    },
  };
}

function update(task: { title: string; output: string }, event: RunEvent, startedAt: number): void {
  if (event.kind === 'trial') {
    const { system, load, transport, repeat } = event.spec.identity;
    const elapsed = Date.now() - startedAt;
    const left =
      event.index > 0
        ? `, about ${formatDuration(((elapsed * (event.total - event.index)) / event.index) * 1e6)} left`
        : '';
    task.title = `${event.index + 1}/${event.total} ${system} · ${load} · ${transport} · repeat ${repeat}${left}`;
    task.output = 'starting the server';
    return;
  }
  if (event.kind === 'note') task.output = event.text;
  if (event.kind !== 'progress') return;
  const { phase, fraction, ratePerSecond, p99Ns, errors } = event.progress;
  const p99 = p99Ns === null ? '' : `, p99 ${formatDuration(p99Ns)}`;
  task.output = `${phase} ${Math.round(fraction * 100)} %, ${formatRate(ratePerSecond)}${p99}${errors > 0 ? `, ${errors} errors` : ''}`;
}

/** Prints the short report (of a league: only its own views) and where the long ones are; answers the exit code. */
export async function conclude(finished: FinishedRun, strict: boolean, views?: readonly string[]): Promise<number> {
  const run = readRun(finished.folder);
  const colour = (process.stdout.isTTY ?? false) && !process.env.NO_COLOR;
  const { text } = await renderReport(run, 'terminal', { colour, width: process.stdout.columns ?? 100, views });
  process.stdout.write(`\n${text}\n`);
  for (const path of finished.reports) process.stdout.write(`${pc.dim('report')} ${path}\n`);
  if (finished.state === 'interrupted') {
    const left = run.plan.settings !== undefined; // A run of `servemark drive` is one trial, which has been reported.
    process.stdout.write(
      left ? `interrupted; go on with: servemark run --resume ${finished.folder}\n` : 'interrupted\n',
    );
    return EXIT.interrupted;
  }
  return exitCodeOf(run.outcomes, strict);
}

/** 1 where nothing that was to be measured was answered; `strict`: also where a trial failed, is INVALID or missed a target. */
export function exitCodeOf(outcomes: readonly TrialOutcome[], strict: boolean): number {
  const measured = outcomes.flatMap((outcome) =>
    outcome.state === 'completed' && outcome.summary.trial.loadType !== 'probe' ? [outcome.summary] : [],
  );
  const anyFailed = outcomes.some(({ state }) => state === 'failed');
  if ((anyFailed || measured.length > 0) && !measured.some(({ counts }) => counts.ok > 0)) return EXIT.invalid;
  const isBad = ({ verdict: { state, findings } }: TrialSummary) =>
    state === 'INVALID' || findings.some(({ severity }) => severity === 'missed');
  return strict && (anyFailed || measured.some(isBad)) ? EXIT.invalid : EXIT.done;
}
