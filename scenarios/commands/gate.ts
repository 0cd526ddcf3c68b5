import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pc from 'picocolors';
import { UserError } from '../../results/errors.js';
import { writeFileAtomic } from '../../results/files.js';
import { type GateOutcome, junitXml, markdownComment, placeOf, sentenceOf } from '../../results/regression/index.js';
import { readRun } from '../../results/store.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { GateInterrupted, gate as judge } from '../gate.js';
import { loadScenario } from '../load.js';
import { shareOption } from '../option-values.js';
import { estimateNs } from '../plan.js';
import { planWithModels } from '../prepare.js';
import { table } from '../print.js';
import { announce, HISTORY_ROOT, interruptible, RESULTS_ROOT, showProgress } from '../progress.js';
import { trialsOf } from '../run.js';

interface GateCommandOptions {
  readonly baseline: string;
  readonly minShift: string;
  readonly confirm: boolean;
  readonly record: boolean;
  readonly accept?: boolean;
  readonly remeasure?: boolean;
  readonly junit?: string;
  readonly markdown?: string;
  readonly strict?: boolean;
  readonly json?: boolean;
  readonly out: string;
  readonly quiet?: boolean;
}

export const gateCommand: CommandDefinition = {
  name: 'gate',
  summary: 'run a scenario and judge it by its history: exit 1 for a regression that a second run confirms',
  configure(command, finish) {
    command
      .argument('<scenario>', 'scenario file, or the folder of a run that was made already')
      .option('--baseline <folder>', 'a history, or one run folder', HISTORY_ROOT)
      .option('--min-shift <share>', 'smaller shifts matter to nobody', '2%')
      .option('--no-confirm', 'no second run where something looks worse; nothing is then called a regression')
      .option('--no-record', 'leave the history as it is')
      .option('--accept', 'take this run as the new level, whatever it shows')
      .option('--remeasure', 'measure capacities anew; by default relative rates stay those of the baseline')
      .option('--strict', 'exit with 1 also where nothing could be judged')
      .option('--junit <file>', 'write JUnit XML')
      .option('--markdown <file>', 'write a Markdown comment')
      .option('--json', 'print the whole judgement as JSON')
      .option('--out <folder>', 'where run folders go', RESULTS_ROOT)
      .option('--quiet', 'no progress')
      .action((target: string, options: GateCommandOptions) => finish(gate(target, options)));
  },
};

async function gate(target: string, options: GateCommandOptions): Promise<number> {
  const minShift = shareOption('--min-shift', options.minShift);
  const stop = interruptible();
  const { prepared, scenarioText, runFolder, estimate } = await targetOf(target);
  const quiet = options.quiet === true || options.json === true;
  if (!quiet && runFolder === undefined) announce(prepared.stored.question, prepared.trials.length, estimate);
  const progress = showProgress(quiet);
  try {
    const outcome = await progress.during(
      judge(
        {
          ...{ prepared, scenarioText, runFolder, baseline: options.baseline },
          options: { seed: BigInt(prepared.stored.seeds.bootstrap ?? '0'), minShift },
          confirm: options.confirm,
          record: options.record,
          accept: options.accept ?? false,
          remeasure: options.remeasure ?? false,
        },
        { resultsRoot: options.out, signal: stop.signal, onEvent: progress.onEvent },
      ),
    );
    if (options.junit) writeFileAtomic(options.junit, junitXml(outcome), 'the JUnit file');
    if (options.markdown) writeFileAtomic(options.markdown, markdownComment(outcome), 'the Markdown comment');
    if (options.json) process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
    else print(outcome, options);
    const failed = outcome.state === 'regressed' || (options.strict === true && outcome.state === 'unjudged');
    return failed && !options.accept ? EXIT.invalid : EXIT.done;
  } catch (error) {
    if (!(error instanceof GateInterrupted)) throw error;
    process.stdout.write(`${error.message}; there is no verdict, and the history is as it was\n`);
    return EXIT.interrupted;
  }
}

/** A scenario to run, or a run with the plan it was made by. */
async function targetOf(target: string) {
  if (!existsSync(join(target, 'plan.json'))) {
    const scenario = loadScenario(target);
    const prepared = await planWithModels(scenario, `servemark gate ${target}`);
    const estimate = estimateNs(scenario, prepared.trials);
    return { prepared, scenarioText: readFileSync(scenario.file, 'utf8'), runFolder: undefined, estimate };
  }
  const { plan, state } = readRun(target);
  if (plan.settings === undefined)
    throw new UserError({ place: target, found: 'is no run of a scenario', remedy: 'Gate a scenario’s run' });
  if (state !== 'completed')
    throw new UserError({ place: target, found: `the run is ${state}`, remedy: `servemark run --resume ${target}` });
  const text = join(target, 'scenario.yaml');
  return {
    prepared: { stored: plan, trials: trialsOf(plan) },
    scenarioText: existsSync(text) ? readFileSync(text, 'utf8') : undefined,
    runFolder: target,
    estimate: undefined,
  };
}

function print(outcome: GateOutcome, { accept }: GateCommandOptions): void {
  const { findings, confirmed, excluded } = outcome;
  const rows = findings.map((each) => [
    placeOf(each),
    each.ratio?.toFixed(3) ?? '–',
    each.interval ? `${each.interval.low.toFixed(3)} – ${each.interval.high.toFixed(3)}` : '–',
    each.noiseFloor === null ? '–' : `${((each.noiseFloor - 1) * 100).toFixed(1)} %`,
    each.adjustedP?.toPrecision(2) ?? '–',
    each.state,
    `${each.text}${confirmed.includes(each) ? ', confirmed' : ''}`,
  ]);
  const head = ['figure', 'now/then', '95 % interval', 'noise', 'adjusted p', '', ''];
  if (outcome.state !== 'first') process.stdout.write(`\n${table(head, rows)}\n`);
  for (const { run, why } of excluded) process.stdout.write(`${pc.dim(`no baseline: ${run}: ${why}`)}\n`);
  for (const { what, before, after } of outcome.differences)
    process.stdout.write(`${pc.dim(`differs from the last baseline run: ${what}: ${before} → ${after}`)}\n`);
  const colour = outcome.state === 'regressed' ? pc.red : outcome.state === 'passed' ? pc.green : pc.yellow;
  process.stdout.write(`${colour(sentenceOf(outcome))}\n`);
  if (accept) process.stdout.write('Accepted: a new baseline begins with this run.\n');
  process.stdout.write(`${pc.dim('run')} ${outcome.run}\n`);
  if (outcome.confirmRun) process.stdout.write(`${pc.dim('confirming run')} ${outcome.confirmRun}\n`);
}
