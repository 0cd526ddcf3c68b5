import { createArrival } from '../../clients/arrivals/index.js';
import { UserError } from '../../results/errors.js';
import { checked } from '../../results/lookup.js';
import { formatDuration, parseDuration, significant } from '../../results/units.js';
import type { CostTable } from '../../servers/executors/index.js';
import {
  type Candidate,
  type CapacityAnswer,
  type CapacityQuestion,
  fewestReplicas,
  PICKERS,
  type PickerName,
  type Sensitivity,
  sensitivityOf,
} from '../../servers/fleet/index.js';
import { DEFAULT_PROFILE_SIZES, profileModel } from '../../servers/profile.js';
import { strategyNamed } from '../../servers/strategies/index.js';
import { type CommandDefinition, EXIT } from '../contract.js';
import { rateOption, seedOption, wholeNumber } from '../option-values.js';
import { readProfile } from '../profiles.js';
import { errorOfSimulator } from '../simulator-error.js';
import { modelArgument } from './serve.js';

interface Options {
  readonly profile?: string;
  readonly slo: string;
  readonly rate: string;
  readonly strategy?: readonly string[];
  readonly balancer: string;
  readonly arrivals: string;
  readonly instances: string;
  readonly maxReplicas: string;
  readonly requests: string;
  readonly seed: string;
  readonly json?: boolean;
}

/** The ways of serving that are compared when the user names none. */
const DEFAULTS = [
  'serial',
  'triton-dynamic:maxBatchSize=4',
  'triton-dynamic:maxBatchSize=8',
  'triton-dynamic:maxBatchSize=16',
  'triton-dynamic:maxBatchSize=32',
  'triton-dynamic:maxBatchSize=16,maxQueueDelay=1ms',
  'triton-dynamic:maxBatchSize=32,maxQueueDelay=2ms',
];

const FACTORS = [0.8, 0.9, 1.1, 1.25];

export const planCapacityCommand: CommandDefinition = {
  name: 'plan-capacity',
  summary: 'how many replicas, with which strategy, keep an objective at a rate: by simulated fleets over a cost table',
  configure(command, finish) {
    command
      .argument('[model]', 'zoo name or file, profiled now; or give --profile')
      .option('--profile <file>', 'cost table that `servemark profile MODEL --out FILE` wrote')
      .requiredOption('--slo <objective>', 'p50|p90|p95|p99=DURATION, like p99=20ms')
      .requiredOption('--rate <rate>', 'like 50k/s')
      .option('--strategy <name:key=value,…>', 'a way of serving; may be given several times', collect)
      .option('--balancer <name>', Object.keys(PICKERS).join(', '), 'random-two')
      .option('--arrivals <name>', 'arrival process', 'poisson')
      .option('--instances <n>', 'instances a replica', '1')
      .option('--max-replicas <n>', 'no more than so many', '10000')
      .option('--requests <n>', 'requests of each simulated run', '200000')
      .option('--seed <n>', 'of the arrivals', '1')
      .option('--json', 'print JSON')
      .action((model: string | undefined, options: Options) => finish(planCapacity(model, options)));
  },
};

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

async function planCapacity(model: string | undefined, options: Options): Promise<number> {
  const objective = readObjective(options.slo);
  const ratePerSecond = rateOption('--rate', options.rate);
  const picker = readPicker(options.balancer);
  const candidates = (options.strategy ?? DEFAULTS).map(readCandidate);
  const seed = seedOption('--seed', options.seed);
  const gaps = () => createArrival(options.arrivals, {}, ratePerSecond, seed, '--arrivals');
  gaps();
  const cost = await costTable(model, options.profile);
  const question: CapacityQuestion = {
    ...{ cost, ratePerSecond, objective, gaps, picker, seed },
    instances: wholeNumber('--instances', options.instances, 1, 64),
    maxReplicas: wholeNumber('--max-replicas', options.maxReplicas, 1, 100_000),
    requests: wholeNumber('--requests', options.requests, 1000, 100_000_000),
  };
  const answers = candidates.map((candidate) => fewestReplicas(question, candidate)).sort(cheapestFirst);
  const best = answers[0]!;
  const sensitivity = best.replicas === null ? [] : sensitivityOf(question, best.candidate, best.replicas, FACTORS);
  const simulator = errorOfSimulator(best.candidate.strategy);
  if (options.json)
    process.stdout.write(`${JSON.stringify({ objective, ratePerSecond, cost, answers, sensitivity, simulator })}\n`);
  else print(question, answers, sensitivity, simulator.text);
  return best.replicas === null ? EXIT.invalid : EXIT.done;
}

function cheapestFirst(a: CapacityAnswer, b: CapacityAnswer): number {
  const count = (answer: CapacityAnswer) => answer.replicas ?? Number.POSITIVE_INFINITY;
  return count(a) - count(b) || (a.latencyNs ?? 0) - (b.latencyNs ?? 0);
}

async function costTable(model: string | undefined, profile: string | undefined): Promise<CostTable> {
  if (profile !== undefined) return readProfile(profile);
  if (model === undefined)
    throw new UserError({
      place: 'servemark plan-capacity',
      found: 'no model and no profile is named',
      remedy: 'servemark plan-capacity fashion-mlp …, or --profile FILE',
    });
  return profileModel({ model: modelArgument(model), sizes: DEFAULT_PROFILE_SIZES, rounds: 30 });
}

const PERCENTILES: Readonly<Record<string, number>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 };

function readObjective(text: string): CapacityQuestion['objective'] {
  const [name = '', value = ''] = text.split('=');
  const percentile = PERCENTILES[name];
  const ns = parseDuration(value);
  if (percentile !== undefined && ns !== undefined && ns > 0) return { percentile, ns };
  throw new UserError({
    place: '--slo',
    found: text,
    allowed: `${Object.keys(PERCENTILES).join(' | ')} = a duration`,
    remedy: '--slo p99=20ms',
  });
}

function readPicker(name: string): PickerName {
  if (Object.hasOwn(PICKERS, name)) return name as PickerName;
  throw new UserError({ place: '--balancer', found: name, allowed: Object.keys(PICKERS).join(', ') });
}

/** `triton-dynamic:maxBatchSize=16,maxQueueDelay=1ms` */
function readCandidate(text: string): Candidate {
  const [name = '', rest = ''] = text.split(/:(.*)/s);
  const definition = strategyNamed(name, '--strategy');
  const raw = Object.fromEntries(
    rest
      .split(',')
      .filter((part) => part !== '')
      .map((part) => {
        const [key = '', value = ''] = part.split(/=(.*)/s);
        const number = Number(value);
        return [key, value !== '' && Number.isFinite(number) ? number : value];
      }),
  );
  const options = checked(definition.options, raw, `--strategy ${name}`) as Readonly<Record<string, unknown>>;
  return { strategy: name, options: raw, maxRows: definition.maxRows(options as never) };
}

function print(
  { ratePerSecond, objective, picker, requests }: CapacityQuestion,
  answers: readonly CapacityAnswer[],
  sensitivity: readonly Sensitivity[],
  simulator: string,
): void {
  const p = `p${String(objective.percentile * 100).replace('.', '')}`;
  const lines = [
    `For ${ratePerSecond.toLocaleString('en-US')}/s with ${p} ≤ ${formatDuration(objective.ns)} (gateway: ${picker}; simulated, ${requests.toLocaleString('en-US')} requests a run):`,
    '',
    `${'strategy'.padEnd(50)}${'replicas'.padStart(9)}${p.padStart(11)}${'one fewer'.padStart(11)}${'busy'.padStart(7)}${'mean batch'.padStart(12)}`,
    ...answers.map(rowOf),
  ];
  const [best] = answers;
  if (best?.replicas === null) lines.push('', 'No way of serving keeps the objective with the replicas allowed.');
  else if (best) {
    lines.push('', `Cheapest: ${labelOf(best.candidate)} on ${best.replicas} replicas. If the cost table is wrong:`);
    for (const { factor, replicas, plannedLatencyNs, plannedKeeps } of sensitivity)
      lines.push(
        `  costs × ${factor.toFixed(2)}: ${replicas ?? 'more than allowed'} replicas needed; the planned ${best.replicas} have ${p} ${formatDuration(plannedLatencyNs)}, ${plannedKeeps ? 'within the objective' : 'over it'}`,
      );
  }
  lines.push('', simulator);
  process.stdout.write(`${lines.join('\n')}\n`);
}

function rowOf({ candidate, replicas, latencyNs, oneFewerNs, utilization, meanBatch }: CapacityAnswer): string {
  const cell = (value: number | null, format: (value: number) => string) => (value === null ? '–' : format(value));
  return [
    labelOf(candidate).padEnd(50),
    (replicas === null ? 'not kept' : String(replicas)).padStart(9),
    cell(latencyNs, formatDuration).padStart(11),
    cell(oneFewerNs, formatDuration).padStart(11),
    cell(utilization, (share) => `${Math.round(share * 100)} %`).padStart(7),
    cell(meanBatch, significant).padStart(12),
  ].join('');
}

function labelOf({ strategy, options }: Candidate): string {
  return [strategy, ...Object.entries(options).map(([key, value]) => `${key}=${String(value)}`)].join(' ');
}
