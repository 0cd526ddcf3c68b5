import type { CommandDefinition } from '../contract.js';
import { loadScenario } from '../load.js';
import { planWithModels } from '../prepare.js';
import { readProfile } from '../profiles.js';
import { announce, conclude, interruptible, RESULTS_ROOT, showProgress } from '../progress.js';
import { runScenario } from '../run.js';

export const simulateCommand: CommandDefinition = {
  name: 'simulate',
  summary: 'run a scenario in virtual time, over a measured or given cost table: same strategies, records and report',
  configure(command, finish) {
    command
      .argument('<scenario>', 'scenario file')
      .option('--profile <file>', 'cost table for every system (default: measured now)')
      .option('--out <folder>', 'where run folders go', RESULTS_ROOT)
      .option('--strict', 'exit with 1 where a trial is INVALID or failed, or a target is missed')
      .action((file: string, options: { profile?: string; out: string; strict?: boolean }) =>
        finish(simulate(file, options)),
      );
  },
};

async function simulate(file: string, options: { profile?: string; out: string; strict?: boolean }): Promise<number> {
  const stop = interruptible();
  const scenario = loadScenario(file);
  if (options.profile !== undefined) readProfile(options.profile); // A bad one is told now, not by every trial.
  const prepared = await planWithModels(
    scenario,
    `servemark simulate ${file}${options.profile ? ` --profile ${options.profile}` : ''}`,
    'simulated',
  );
  announce(`${scenario.question} (simulated)`, prepared.trials.length, undefined);
  const progress = showProgress(false);
  const finished = await progress.during(
    runScenario(scenario, prepared, {
      resultsRoot: options.out,
      signal: stop.signal,
      onEvent: progress.onEvent,
      profilePath: options.profile,
    }),
  );
  return conclude(finished, options.strict ?? false);
}
