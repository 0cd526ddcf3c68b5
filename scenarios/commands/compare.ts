import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pc from 'picocolors';
import { type Comparison, compareRuns, compareSystems } from '../../results/compare.js';
import { type DifferenceFound, differences } from '../../results/differences.js';
import { UserError } from '../../results/errors.js';
import { unknownName } from '../../results/lookup.js';
import { OUTCOMES } from '../../results/record.js';
import type { StoredRun } from '../../results/run.js';
import { listRuns, readRun, readTrialRecords } from '../../results/store.js';
import type { Interval } from '../../results/summary.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { table } from '../print.js';
import { RESULTS_ROOT } from '../progress.js';

interface CompareOptions {
  readonly run?: string;
  readonly noiseFloor?: string;
  readonly json?: boolean;
  readonly strict?: boolean;
}

export const compareCommand: CommandDefinition = {
  name: 'compare',
  summary: 'compare two systems of a run, or the same systems in two runs: ratios, intervals, what may be claimed',
  configure(command, finish) {
    command
      .argument('<a>', 'a system, or a run folder')
      .argument('<b>', 'what it is compared with: a system of the same run, or another run folder')
      .option('--run <folder>', `the run of the two systems (default: the newest in ${RESULTS_ROOT})`)
      .option('--noise-floor <x,y>', 'two systems of the run that are the same: what they differ by is no finding')
      .option('--json', 'as JSON')
      .option('--strict', 'exit with 1 where A is shown to be worse than B')
      .action((a: string, b: string, options: CompareOptions) => finish(compare(a, b, options)));
  },
};

async function compare(a: string, b: string, options: CompareOptions): Promise<number> {
  // One run and something else: the other was meant to be a run, and says what is wrong with it.
  if (isRun(a) !== isRun(b)) readRun(isRun(a) ? b : a);
  const found = isRun(a) && isRun(b) ? betweenRuns(a, b, options) : withinRun(a, b, options);
  if (options.json) process.stdout.write(`${JSON.stringify({ schema: 1, ...found }, null, 2)}\n`);
  else print(a, b, found);
  const worse = found.comparisons.some(({ claim }) => claim.state === 'worse');
  return options.strict && worse ? EXIT.invalid : EXIT.done;
}

interface Found {
  readonly run: string | null;
  readonly interleaved: boolean;
  readonly comparisons: readonly (Comparison & { readonly system?: string })[];
  /** Between two runs. */
  readonly differences: readonly DifferenceFound[];
}

function isRun(path: string): boolean {
  return existsSync(join(path, 'plan.json'));
}

function betweenRuns(a: string, b: string, options: CompareOptions): Found {
  if (options.run !== undefined || options.noiseFloor !== undefined)
    throw new UserError({
      place: options.run !== undefined ? '--run' : '--noise-floor',
      found: 'belongs to two systems of one run, and two run folders are named',
      remedy: `Leave it out, or name systems: servemark compare A B --run ${a}`,
    });
  const [first, second] = [readRun(a), readRun(b)];
  const comparisons = compareRuns(first.outcomes, second.outcomes, { seed: seedOf(first) });
  if (comparisons.length === 0)
    throw new UserError({ place: b, found: `has no completed trial of a system and load of ${a}` });
  return { run: null, interleaved: false, comparisons, differences: differences(first, second) };
}

function withinRun(a: string, b: string, options: CompareOptions): Found {
  const folder = options.run ?? listRuns(RESULTS_ROOT).at(-1);
  if (folder === undefined)
    throw new UserError({ place: RESULTS_ROOT, found: 'there is no run yet', remedy: 'Name one: --run FOLDER' });
  const run = readRun(folder);
  for (const [place, name] of [
    ['A', a],
    ['B', b],
  ] as const)
    checkSystem(place, name, run);
  if (a === b)
    throw new UserError({
      place: 'servemark compare',
      found: `"${a}" with itself`,
      allowed: 'two systems of the run',
      remedy: 'The noise of one system is what twins tell: two systems of the same settings, and --noise-floor x,y',
    });
  const comparisons = compareSystems(run.outcomes, a, b, {
    seed: seedOf(run),
    identical: twinsOf(run, options.noiseFloor),
    latencies: (trialId) => latenciesOf(folder, trialId),
  });
  if (comparisons.length === 0)
    throw new UserError({ place: folder, found: `has no load that both ${a} and ${b} have completed` });
  return { run: folder, interleaved: true, comparisons: inPlanOrder(comparisons, run), differences: [] };
}

function inPlanOrder(comparisons: readonly Comparison[], { plan }: StoredRun): Comparison[] {
  const loads = plan.loads.map(({ name }) => name);
  const rank = ({ load, transport }: Comparison) =>
    loads.indexOf(load) * plan.transports.length + plan.transports.indexOf(transport);
  return [...comparisons].sort((a, b) => rank(a) - rank(b));
}

function checkSystem(place: string, name: string, { plan, folder }: StoredRun): void {
  if (!plan.systems.some((system) => system.name === name))
    throw new UserError(unknownName(`${place} (in ${folder})`, 'system or run folder', name, plan.systems));
}

function twinsOf(run: StoredRun, option: string | undefined): readonly [string, string] | undefined {
  if (option === undefined) return run.plan.twins;
  const names = option.split(',').map((name) => name.trim());
  if (names.length !== 2)
    throw new UserError({ place: '--noise-floor', found: `"${option}" is no pair`, allowed: 'two systems, like x,y' });
  for (const name of names) checkSystem('--noise-floor', name, run);
  return names as unknown as readonly [string, string];
}

function seedOf({ plan }: StoredRun): bigint {
  return BigInt(plan.seeds.bootstrap ?? '0');
}

/** By position in the schedule; NaN where a request was not answered. */
function latenciesOf(folder: string, trialId: string): Float64Array | undefined {
  const records = readTrialRecords(folder, trialId);
  if (!records) return undefined;
  const ok = OUTCOMES.indexOf('ok');
  const rows = [...Array(records.length).keys()].filter((row) => records.warmUp[row] === 0);
  return Float64Array.from(rows, (row) =>
    records.outcome[row] === ok ? records.completedNs[row]! - records.dueNs[row]! : Number.NaN,
  );
}

const NAMES = { throughput: 'throughput', p50Latency: 'p50', p99Latency: 'p99', cpuPerRequest: 'CPU/request' } as const;

function print(a: string, b: string, { comparisons, interleaved, run, differences: changed }: Found): void {
  const where = interleaved ? `${a} against ${b} in ${run}` : `${a}\nagainst ${b}`;
  process.stdout.write(`${pc.bold(where)}\n\n`);
  const several = comparisons.some(({ system }) => system !== undefined);
  const rows = comparisons.map((each) => [
    ...(several ? [each.system ?? ''] : []),
    ...[each.load, each.transport, NAMES[each.figure]],
    ratioText(each.ratio.ratio),
    intervalText(each),
    each.noiseFloor === null ? '–' : `${((each.noiseFloor - 1) * 100).toFixed(1)} % (${each.noiseFrom})`,
    each.adjustedP === null ? '–' : each.adjustedP.toPrecision(2),
    each.claim.text,
  ]);
  const head = ['load', 'transport', 'figure', 'A/B', '95 % interval', 'noise floor', 'adjusted p', 'claim'];
  process.stdout.write(table(several ? ['system', ...head] : head, rows));
  if (changed.length > 0) process.stdout.write(`\nWhat else differs between the runs:\n${differenceTable(changed)}`);
  process.stdout.write(
    interleaved
      ? '\nBetter or worse is said over five pairs or more, all VALID, where the interval excludes 1, the shift exceeds the noise floor and p, adjusted for the table, is ≤ 0.05.\n'
      : '\nThe runs were not interleaved: what the machine did in between is in every ratio, so nothing here is a claim. `servemark gate` judges a run against a history.\n',
  );
}

export function differenceTable(changed: readonly DifferenceFound[]): string {
  return table(
    ['kind', 'what', 'A', 'B'],
    changed.map(({ kind, what, before, after }) => [kind, what, short(before), short(after)]),
  );
}

function short(text: string): string {
  return text.length > 48 ? `${text.slice(0, 47)}…` : text;
}

function ratioText(ratio: number | null): string {
  return ratio === null ? '–' : ratio.toPrecision(3);
}

function intervalText({ ratio: { interval }, within }: Comparison): string {
  const text = ({ low, high }: Interval) => `${low.toPrecision(3)} – ${high.toPrecision(3)}`;
  if (within) return `${text(within)} (within the trials)`;
  return interval ? text(interval) : '–';
}
