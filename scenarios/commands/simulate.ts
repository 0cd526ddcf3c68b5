import { join } from 'node:path';
import { UserError } from '../../results/errors.js';
import { fleetText } from '../../results/fleet-report.js';
import { type CommandDefinition, EXIT } from '../contract.js';
import { runFleet } from '../fleet/fleet.js';
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
      .argument('[scenario]', 'scenario file')
      .option(
        '--fleet <file>',
        'a fleet instead: thousands of replicas behind a gateway, with autoscalers (scenarios/fleets)',
      )
      .option('--json', 'of a fleet: print fleet.json')
      .option('--profile <file>', 'cost table for every system (default: measured now)')
      .option('--out <folder>', 'where run folders go', RESULTS_ROOT)
      .option('--strict', 'exit with 1 where a trial is INVALID or failed, or a target is missed')
      .action((file: string | undefined, options: SimulateOptions) => finish(simulateEither(file, options)));
  },
};

interface SimulateOptions {
  readonly profile?: string;
  readonly out: string;
  readonly strict?: boolean;
  readonly fleet?: string;
  readonly json?: boolean;
}

function simulateEither(file: string | undefined, options: SimulateOptions): Promise<number> {
  if (options.fleet !== undefined && file === undefined) return fleet(options.fleet, options);
  if (file !== undefined && options.fleet === undefined) return simulate(file, options);
  throw new UserError({
    place: 'servemark simulate',
    found: file === undefined ? 'nothing to simulate is named' : 'a scenario and a fleet',
    allowed: 'one of them',
    remedy: 'servemark simulate scenarios/quickstart.yaml, or servemark simulate --fleet scenarios/fleets/diurnal.yaml',
  });
}

async function fleet(file: string, { out, json }: SimulateOptions): Promise<number> {
  const { folder, ...record } = await runFleet(file, out, (name) => process.stderr.write(`simulating ${name}\n`));
  if (json) {
    process.stdout.write(`${JSON.stringify({ folder, ...record })}\n`);
    return EXIT.done;
  }
  const colour = (process.stdout.isTTY ?? false) && !process.env.NO_COLOR;
  process.stdout.write(
    `${await fleetText(record, { colour, width: process.stdout.columns ?? 120 })}\nreport ${join(folder, 'report.html')}\n`,
  );
  return EXIT.done;
}

async function simulate(file: string, options: SimulateOptions): Promise<number> {
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
