import { UserError } from '../../results/errors.js';
import { listRuns } from '../../results/store.js';
import { audit } from '../audit.js';
import type { AuditFinding } from '../audit-tests.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { durationOption } from '../option-values.js';
import { interruptible, RESULTS_ROOT, showProgress } from '../progress.js';

interface AuditCommandOptions {
  readonly trial?: string;
  readonly duration?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export const auditCommand: CommandDefinition = {
  name: 'audit',
  summary: 'MLPerf’s audits of a stored run: answers under load, caching of repeated samples, other seeds',
  configure(command, finish) {
    command
      .argument('[run-folder]', `a run under an MLPerf preset (default: the newest in ${RESULTS_ROOT})`)
      .option('--trial <id>', 'only this trial (default: the first repeat of each)')
      .option('--duration <time>', 'shorter than the load’s own, for trying out')
      .option('--json', 'print one JSON object')
      .option('--quiet', 'no progress')
      .action((folder: string | undefined, options: AuditCommandOptions) => finish(run(folder, options)));
  },
};

async function run(folder: string | undefined, options: AuditCommandOptions): Promise<number> {
  const stop = interruptible();
  const chosen = folder ?? listRuns(RESULTS_ROOT).at(-1);
  if (chosen === undefined)
    throw new UserError({
      place: RESULTS_ROOT,
      found: 'there is no run yet',
      remedy: 'servemark run scenarios/mlperf-fashion-short.yaml',
    });
  const progress = showProgress((options.quiet ?? false) || (options.json ?? false));
  const done = await progress.during(
    audit(chosen, {
      trial: options.trial,
      durationNs: options.duration === undefined ? undefined : durationOption('--duration', options.duration),
      signal: stop.signal,
      onEvent: progress.onEvent,
    }),
  );
  if (options.json) process.stdout.write(`${JSON.stringify({ schema: 1, ...done })}\n`);
  else {
    for (const finding of done.findings) process.stdout.write(`${line(finding)}\n`);
    process.stdout.write(`audit ${done.path}\n`);
  }
  if (done.interrupted) return EXIT.interrupted;
  return done.findings.some(({ state }) => state === 'FAIL') ? EXIT.invalid : EXIT.done;
}

function line({ state, test, trial, message }: AuditFinding): string {
  return `${state.padEnd(7)} ${test} ${trial}: ${message}`;
}
