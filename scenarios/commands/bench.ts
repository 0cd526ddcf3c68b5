import { UserError } from '../../results/errors.js';
import { unknownName } from '../../results/lookup.js';
import type { CommandDefinition } from '../contract.js';
import { type LeagueOptions, leagueProfile, planLeague, runLeague } from '../league.js';
import { durationOption, wholeNumber } from '../option-values.js';
import { estimateNs } from '../plan.js';
import { readProfile } from '../profiles.js';
import { announce, conclude, interruptible, RESULTS_ROOT, showProgress } from '../progress.js';

interface BenchOptions {
  readonly real?: boolean;
  readonly simulated?: boolean;
  readonly scenario?: string;
  readonly only?: string;
  readonly repeats?: string;
  readonly duration?: string;
  readonly budget?: string;
  readonly profile?: string;
  readonly out: string;
  readonly strict?: boolean;
}

export const benchCommand: CommandDefinition = {
  name: 'bench',
  summary: 'a league of the serving strategies: the same model and loads for all, ranked, and which to use when',
  configure(command, finish) {
    command
      .argument('<what>', 'strategies')
      .option('--simulated', 'in virtual time over a cost table (the default)')
      .option('--real', 'serve and measure each, and simulate the same trials beside it')
      .option('--scenario <file>', 'systems, loads and objective (default: scenarios/strategies.yaml)')
      .option('--only <systems>', 'some of its systems, separated by commas')
      .option('--repeats <n>', 'of each trial')
      .option('--duration <time>', 'of each load')
      .option('--budget <time>', 'of a real league: loads and repeats are cut until it fits (default 30m)')
      .option('--profile <file>', 'cost table of virtual time (default: beside the scenario, else measured)')
      .option('--out <folder>', 'where run folders go', RESULTS_ROOT)
      .option('--strict', 'exit with 1 where a trial is INVALID or failed, or the objective is missed')
      .action((what: string, options: BenchOptions) => finish(bench(what, options)));
  },
};

async function bench(what: string, options: BenchOptions): Promise<number> {
  if (what !== 'strategies') throw new UserError(unknownName('servemark bench', 'bench', what, ['strategies']));
  const stop = interruptible();
  const wanted = readOptions(options);
  const profilePath = wanted.real ? options.profile : (options.profile ?? leagueProfile(options.scenario));
  if (profilePath !== undefined) readProfile(profilePath); // A bad one is told now, not by every trial.
  const league = await planLeague(wanted);
  const { scenario, prepared } = league;
  announce(
    `${scenario.question} (${wanted.real ? 'measured and simulated' : 'simulated'})`,
    prepared.trials.length,
    wanted.real ? estimateNs(scenario, prepared.trials) : undefined,
  );
  const progress = showProgress(false);
  const finished = await progress.during(
    runLeague(league, { resultsRoot: options.out, signal: stop.signal, onEvent: progress.onEvent, profilePath }),
  );
  return conclude(finished, options.strict ?? false, ['decision', 'league']);
}

function readOptions(options: BenchOptions): LeagueOptions {
  const { real = false, simulated = false, scenario, only } = options;
  if (real && simulated)
    throw new UserError({
      place: 'servemark bench',
      found: 'both --real and --simulated',
      remedy: 'A real league is simulated beside it anyway: leave --simulated out',
    });
  const budgetNs = optionalDuration('--budget', options.budget);
  return {
    file: scenario,
    real,
    only: only?.split(',').map((name) => name.trim()),
    repeats: repeatsOf(options.repeats),
    durationNs: optionalDuration('--duration', options.duration),
    budgetNs: budgetNs ?? (real ? 1800e9 : undefined),
    command: commandLine(options),
  };
}

function commandLine({ real, scenario, only, repeats, duration, budget, profile }: BenchOptions): string {
  const given = { scenario, only, repeats, duration, budget, profile };
  const options = Object.entries(given).flatMap(([name, value]) => (value ? [`--${name} ${value}`] : []));
  return ['servemark bench strategies', real ? '--real' : '--simulated', ...options].join(' ');
}

function optionalDuration(place: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : durationOption(place, text);
}

function repeatsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return wholeNumber('--repeats', text, 1, 1000);
}
