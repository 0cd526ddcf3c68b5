import { UserError } from '../../results/errors.js';
import { writeReports } from '../../results/report.js';
import { formatDuration, formatRate } from '../../results/units.js';
import type { CommandDefinition, Scenario } from '../contract.js';
import { EXIT } from '../contract.js';
import { type CellPeak, type FoundPeaks, findPeaks, type PeakEvent } from '../find-peak.js';
import { loadScenario } from '../load.js';
import { durationOption, shareOption, wholeNumber } from '../option-values.js';
import { interruptible, RESULTS_ROOT } from '../progress.js';

interface FindPeakCommandOptions {
  readonly system?: readonly string[];
  readonly transport?: readonly string[];
  readonly p99?: string;
  readonly duration: string;
  readonly precision: string;
  readonly maxProbes: string;
  readonly out: string;
  readonly json?: boolean;
}

export const findPeakCommand: CommandDefinition = {
  name: 'find-peak',
  summary: 'the highest rate that stays VALID (p99 within a bound), as an interval, for each system of a scenario',
  configure(command, finish) {
    command
      .argument('<scenario>', 'scenario file: its model, systems, transports, seeds; its loads are not used')
      .option('--system <name...>', 'only these systems')
      .option('--transport <name...>', 'only these transports')
      .option('--p99 <time>', 'the bound (default: targets.p99Latency of the scenario)')
      .option('--duration <time>', 'longest time of one probe; a clear one ends sooner', '10s')
      .option('--precision <share>', 'wanted width of the interval', '10%')
      .option('--max-probes <n>', 'probes of one system over one transport at most', '24')
      .option('--out <folder>', 'where run folders go', RESULTS_ROOT)
      .option('--json', 'print one JSON object')
      .action((file: string, options: FindPeakCommandOptions) => finish(findPeak(file, options)));
  },
};

async function findPeak(file: string, options: FindPeakCommandOptions): Promise<number> {
  const stop = interruptible();
  const scenario = chosen(loadScenario(file), options);
  const boundNs = boundOf(scenario, options.p99);
  const found = await findPeaks(scenario, {
    boundNs,
    durationNs: durationOption('--duration', options.duration),
    precision: shareOption('--precision', options.precision, { above: '0%' }),
    maxProbes: wholeNumber('--max-probes', options.maxProbes, 4, 1000),
    command: `servemark find-peak ${file} --p99 ${formatDuration(boundNs).replace(' ', '')} --duration ${options.duration} --precision ${options.precision}`,
    resultsRoot: options.out,
    signal: stop.signal,
    onEvent: options.json ? () => {} : tell,
  });
  const reports = await writeReports(found.folder);
  if (options.json) process.stdout.write(`${JSON.stringify(asJson(found, boundNs))}\n`);
  else conclude(found, boundNs, reports);
  if (found.interrupted) return EXIT.interrupted;
  return found.cells.every(isSound) ? EXIT.done : EXIT.invalid;
}

function chosen(scenario: Scenario, { system, transport }: FindPeakCommandOptions): Scenario {
  const pick = <T>(place: string, all: readonly T[], nameOf: (one: T) => string, wanted?: readonly string[]): T[] => {
    if (wanted === undefined) return [...all];
    const names = all.map(nameOf);
    for (const name of wanted)
      if (!names.includes(name))
        throw new UserError({ place, found: `"${name}" is not in the scenario`, allowed: names.join(', ') });
    return all.filter((one) => wanted.includes(nameOf(one)));
  };
  return {
    ...scenario,
    systems: pick('--system', scenario.systems, ({ name }) => name, system),
    transports: pick('--transport', scenario.transports, (name) => name, transport),
  };
}

function boundOf(scenario: Scenario, p99: string | undefined): number {
  if (p99 !== undefined) return durationOption('--p99', p99);
  if (scenario.targets.p99LatencyNs !== undefined) return scenario.targets.p99LatencyNs;
  throw new UserError({
    place: scenario.place(['targets', 'p99Latency']),
    found: 'there is no bound: any rate stays within none',
    remedy: 'Name it: --p99 20ms, or targets: { p99Latency: 20ms } in the scenario',
  });
}

function tell(event: PeakEvent): void {
  if (event.kind === 'note') process.stderr.write(`${event.text}\n`);
  else if (event.kind === 'cell')
    process.stdout.write(
      `${event.spec.identity.system} over ${event.spec.identity.transport}: a closed loop does ${formatRate(event.capacity)}\n`,
    );
  else {
    const { number, probe } = event;
    const { outcome, rate, reason, seconds, evidence } = probe;
    const alike = evidence.designEffect > 1.5 ? `, ${evidence.designEffect.toFixed(0)} neighbours count as one` : '';
    process.stdout.write(
      `  ${String(number).padStart(2)}  ${formatRate(rate).padStart(9)}  ${outcome.padEnd(9)} ${seconds.toFixed(1)} s  ${reason}${alike}\n`,
    );
  }
}

const WORDS: Readonly<Record<CellPeak['peak']['ended'], string>> = {
  precise: '',
  close: 'nearer rates are too close to call in one probe’s time: --duration sharpens it',
  probes: 'the probes were used up: --max-probes sharpens it',
  interrupted: 'interrupted',
};

function conclude({ cells, folder }: FoundPeaks, boundNs: number, reports: readonly string[]): void {
  process.stdout.write('\n');
  for (const { system, transport, peak, confirmed } of cells) {
    const notes = [peak.caveat, WORDS[peak.ended]].filter(Boolean).join('; ');
    const percent = Math.round(peak.level * 100);
    process.stdout.write(
      `${system} over ${transport}: ${formatRate(peak.low)} to ${formatRate(peak.high)} within p99 ${formatDuration(boundNs)} (${percent} % interval, ${peak.probes.length} probes)${notes ? `; ${notes}` : ''}\n`,
    );
    if (confirmed) process.stdout.write(`  at ${formatRate(peak.low)}: ${verdictOf(confirmed)}\n`);
  }
  process.stdout.write(`peaks ${folder}/peak.json\n`);
  for (const path of reports) process.stdout.write(`report ${path}\n`);
}

function verdictOf({ verdict, latencyNs }: NonNullable<CellPeak['confirmed']>): string {
  const p99 = latencyNs.p99.value === null ? '' : `, p99 ${formatDuration(latencyNs.p99.value)}`;
  const bad = verdict.findings.filter(({ severity }) => severity !== 'warning');
  return [`${verdict.state}${p99}.`, ...bad.map(({ message }) => message)].join(' ');
}

/** A peak that its own trial confirms. */
function isSound({ confirmed, peak }: CellPeak): boolean {
  if (peak.ended === 'interrupted' || confirmed === null) return false;
  return (
    confirmed.verdict.state === 'VALID' && confirmed.verdict.findings.every(({ severity }) => severity !== 'missed')
  );
}

function asJson({ cells, folder }: FoundPeaks, boundNs: number): unknown {
  return {
    runFolder: folder,
    boundNs,
    cells: cells.map(({ system, transport, peak, confirmed }) => ({
      ...{ system, transport, lowPerSecond: peak.low, highPerSecond: peak.high, level: peak.level, ended: peak.ended },
      ...{ caveat: peak.caveat, probes: peak.probes },
      confirmed: confirmed && { trial: confirmed.trial.id, verdict: confirmed.verdict },
    })),
  };
}
