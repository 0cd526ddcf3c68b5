import { createArrival, exactArrivals } from '../../clients/arrivals/index.js';
import { requireFewEnough } from '../../clients/schedule.js';
import { UserError } from '../../results/errors.js';
import { Mt19937, uniformInt } from '../../results/stats/index.js';
import type { CommandDefinition } from '../contract.js';
import { EXIT } from '../contract.js';
import { durationOption, rateOption, seedOption, wholeNumber } from '../option-values.js';
import { parseSettings } from '../settings.js';

interface ScheduleOptions {
  readonly arrivals: string;
  readonly rate: string;
  readonly seed: string;
  readonly count?: string;
  readonly duration?: string;
  readonly samples?: string;
  readonly sampleSeed?: string;
  readonly set: readonly string[];
  readonly json?: boolean;
}

export const scheduleCommand: CommandDefinition = {
  name: 'schedule',
  summary: 'draw a schedule and print it: when requests are due, and which samples they carry',
  configure(command, finish) {
    command
      .requiredOption('--arrivals <name>', 'arrival process', 'poisson')
      .requiredOption('--rate <rate>', 'mean rate, like 100/s')
      .requiredOption('--seed <seed>', '64-bit seed of the schedule')
      .option('--count <count>', 'how many arrivals')
      .option(
        '--duration <time>',
        'instead of a count: exactly rate × duration arrivals over that time, as an open load has',
      )
      .option('--samples <n>', 'also draw sample indices in [0, n)')
      .option('--sample-seed <seed>', '64-bit seed of the samples')
      .option('--set <key=value...>', 'options of the arrival process', [])
      .option('--json', 'one JSON object')
      .action((options: ScheduleOptions) => finish(schedule(options)));
  },
};

async function schedule(options: ScheduleOptions): Promise<number> {
  const dueNs = dueTimesOf(options);
  const count = dueNs.length;
  const samples =
    options.samples === undefined
      ? undefined
      : drawSamples(
          count,
          wholeNumber('--samples', options.samples, 1, 2 ** 32 - 1),
          seedOption('--sample-seed', options.sampleSeed ?? '2'),
        );
  if (options.json) process.stdout.write(`${JSON.stringify(samples ? { dueNs, samples } : { dueNs })}\n`);
  else
    process.stdout.write(
      `${dueNs.map((due, index) => (samples ? `${due}\t${samples[index]}` : String(due))).join('\n')}\n`,
    );
  return EXIT.done;
}

function dueTimesOf(options: ScheduleOptions): number[] {
  const process = [
    options.arrivals,
    parseSettings(options.set),
    rateOption('--rate', /^\s*[\d.]+\s*$/.test(options.rate) ? `${options.rate}/s` : options.rate),
  ] as const;
  const seed = seedOption('--seed', options.seed);
  if (options.duration !== undefined) {
    const durationNs = durationOption('--duration', options.duration);
    requireFewEnough((process[2] * durationNs) / 1e9);
    const exact = exactArrivals(...process, durationNs, seed, '--arrivals');
    if (exact) return [...exact];
    throw new UserError({ place: '--duration', found: 'a recording is played as it is', remedy: 'Use --count' });
  }
  if (options.count === undefined)
    throw new UserError({
      place: 'servemark schedule',
      found: 'neither --count nor --duration',
      allowed: 'one of them',
    });
  const count = wholeNumber('--count', options.count, 1, 100_000_000);
  const gap = createArrival(...process, seed, '--arrivals');
  const dueNs: number[] = [];
  for (let due = 0; dueNs.length < count; due += gap()) dueNs.push(due);
  return dueNs;
}

/** Uniformly with replacement, as LoadGen's performance mode. */
function drawSamples(count: number, n: number, seed: bigint): number[] {
  const random = new Mt19937(seed);
  return Array.from({ length: count }, () => uniformInt(random, n));
}
