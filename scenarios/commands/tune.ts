import pc from 'picocolors';
import { UserError } from '../../results/errors.js';
import type { TuningRecord, TuningStep } from '../../results/tuning.js';
import { formatDuration, formatRate } from '../../results/units.js';
import { type CommandDefinition, EXIT, type Scenario } from '../contract.js';
import { loadScenario } from '../load.js';
import { checkServable } from '../plan.js';
import { planWithModels } from '../prepare.js';
import { conclude, interruptible, RESULTS_ROOT, showProgress } from '../progress.js';
import type { TuneSpec } from '../tune/spec.js';
import { runTuning } from '../tune/tune.js';

interface TuneCommandOptions {
  readonly out: string;
  readonly resume?: string;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

export const tuneCommand: CommandDefinition = {
  name: 'tune',
  summary: 'search the space of a scenario for its best configuration, and compare it with the author’s',
  configure(command, finish) {
    command
      .argument('<scenario>', 'scenario file with a tune: section')
      .option('--out <folder>', 'where run folders go', RESULTS_ROOT)
      .option('--resume <run-folder>', 'go on with an interrupted search')
      .option('--json', 'print the record of the search as JSON')
      .option('--quiet', 'no progress, only the report')
      .action((file: string, options: TuneCommandOptions) => finish(tune(file, options)));
  },
};

async function tune(file: string, options: TuneCommandOptions): Promise<number> {
  const stop = interruptible();
  const scenario = loadScenario(file);
  const spec = scenario.tune;
  if (!spec)
    throw new UserError({
      place: file,
      found: 'has no tune: section',
      allowed: 'tune: { system, space, load, objective, constraints, search, budget, … }',
      remedy: 'scenarios/tune-fashion.yaml is an example',
    });
  await checkPoints(scenario, spec);
  const quiet = (options.quiet ?? false) || (options.json ?? false);
  if (!quiet) process.stdout.write(`${pc.bold(scenario.question)}\n${pc.dim(introduction(spec))}\n`);
  const progress = showProgress(quiet);
  const finished = await progress.during(
    runTuning(scenario, spec, {
      resultsRoot: options.out,
      signal: stop.signal,
      onEvent: progress.onEvent,
      onStep: quiet
        ? undefined
        : (step, number, budget) => progress.onEvent({ kind: 'note', text: lineOf(step, number, budget, spec) }),
      command: `servemark tune ${file}`,
      resume: options.resume,
    }),
  );
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ runFolder: finished.folder, ...finished.record })}\n`);
    return finished.state === 'interrupted' ? EXIT.interrupted : codeOf(finished.record);
  }
  if (finished.state === 'interrupted') {
    process.stdout.write(`interrupted; go on with: servemark tune ${file} --resume ${finished.folder}\n`);
    return EXIT.interrupted;
  }
  await conclude(finished, false);
  if (finished.record.verdict) process.stdout.write(`${pc.bold(finished.record.verdict.text)}\n`);
  return codeOf(finished.record);
}

/** Every model of the space is found and every point can be served, before anything starts. */
async function checkPoints(scenario: Scenario, spec: TuneSpec): Promise<void> {
  const systems = [spec.author, ...spec.systems.filter((system) => system !== undefined)];
  const whole = { ...scenario, systems: [...scenario.systems, ...systems], loads: [spec.load] };
  if (spec.mode !== 'simulated') checkServable(whole);
  await planWithModels({ ...whole, repeats: 1 }, 'servemark tune', 'simulated');
}

function introduction({ space, search, budget, mode, confirm, repeats }: TuneSpec): string {
  const points = space.dimensions.reduce((size, { values }) => size * values.length, 1);
  const how = {
    'simulated-then-real': `simulated, the best ${confirm} served for real`,
    simulated: 'all simulated',
    real: 'all served for real',
  }[mode];
  const asked = Math.min(budget, points);
  return `${points.toLocaleString('en-US')} configurations; ${search.name} looks at ${asked} at most, ${how}; ${repeats} pairs at the end.`;
}

function lineOf(
  { phase, system, evaluation, figures }: TuningStep,
  number: number,
  budget: number,
  spec: TuneSpec,
): string {
  const name = system.slice(spec.author.name.length + 1);
  const found =
    evaluation.state === 'failed'
      ? evaluation.reason
      : [
          figures.throughputPerSecond === null ? '' : formatRate(figures.throughputPerSecond),
          figures.p99LatencyNs === null ? '' : `p99 ${formatDuration(figures.p99LatencyNs)}`,
          evaluation.excess.some((excess) => excess > 0) ? 'breaks a bound' : '',
        ]
          .filter((part) => part !== '')
          .join(', ');
  return `${phase} ${number}/${budget}  ${name}: ${found}`;
}

/** 1 where nothing in the space keeps the constraints. */
function codeOf(record: TuningRecord): number {
  return record.front.length > 0 ? EXIT.done : EXIT.invalid;
}
