import type { StoredRun } from './run.js';
import type { Distribution, Interval, Quantile, TrialIdentity, TrialOutcome, TrialSummary } from './summary.js';

/** One number of one trial, in tidy form: one row a number, the trial in every row. */
export interface Measurement {
  /** The run folder's name; with `trial` it names the files that the number came from. */
  readonly run: string;
  readonly trial: string;
  readonly system: string;
  readonly load: string;
  readonly loadType: string;
  readonly transport: string;
  readonly repeat: number;
  readonly simulated: boolean;
  /** `VALID`, `INVALID`, `failed`, `skipped`. */
  readonly verdict: string;
  /** `latency`, `queue`, `throughput`, `cpu:server` … */
  readonly metric: string;
  /** `p99`, `mean`, `count`, `value`; of batches the size. */
  readonly statistic: string;
  /** Null where there is no number; `reason` says why. */
  readonly value: number | null;
  readonly unit: string;
  readonly low: number | null;
  readonly high: number | null;
  /** Of the interval low … high. */
  readonly level: number | null;
  readonly reason: string;
}

/** The columns in their order, as CSV and JSON have them. */
export const MEASUREMENT_COLUMNS = [
  ...['run', 'trial', 'system', 'load', 'loadType', 'transport', 'repeat', 'simulated', 'verdict'],
  ...['metric', 'statistic', 'value', 'unit', 'low', 'high', 'level', 'reason'],
] as readonly (keyof Measurement)[];

/** Everything that the trials of a run measured, probes included; a trial that did not complete is one row with its reason. */
export function measurements(run: StoredRun, name: string): Measurement[] {
  return run.outcomes.flatMap((outcome) => ofOutcome(outcome, name));
}

function ofOutcome(outcome: TrialOutcome, run: string): Measurement[] {
  if (outcome.state === 'completed') {
    const { summary } = outcome;
    const head = headOf(summary.trial, run, summary.verdict.state);
    return numbersOf(summary).map((number) => ({ ...head, ...EMPTY, ...number }));
  }
  const reason = outcome.state === 'failed' ? outcome.error : outcome.reason;
  const head = headOf(outcome.trial, run, outcome.state);
  return [{ ...head, ...EMPTY, metric: 'trial', statistic: 'state', value: null, unit: '', reason }];
}

function headOf(trial: TrialIdentity, run: string, verdict: string) {
  const { id, system, load, loadType, transport, repeat, simulated } = trial;
  return { run, trial: id, system, load, loadType, transport, repeat, simulated, verdict };
}

const EMPTY = { low: null, high: null, level: null, reason: '' };

type Entry = Pick<Measurement, 'metric' | 'statistic' | 'value' | 'unit'> &
  Partial<Pick<Measurement, 'low' | 'high' | 'level' | 'reason'>>;

function numbersOf(summary: TrialSummary): Entry[] {
  return [
    primary(summary),
    ...rates(summary),
    ...distribution('latency', summary.latencyNs),
    ...distribution('sendLatency', summary.sendLatencyNs),
    ...distribution('lateness', summary.latenessNs),
    ...Object.entries(summary.counts).map(([name, value]) => ({
      ...{ metric: 'requests', statistic: name === 'samples' ? 'samplesAnswered' : name, value, unit: 'count' },
    })),
    ...Object.entries(summary.errors).map(([code, value]) => ({
      ...{ metric: 'errors', statistic: code, value, unit: 'count' },
    })),
    ...summary.components.flatMap(({ name, latencyNs, tailMeanNs }) => [
      ...distribution(name, latencyNs),
      { metric: name, statistic: 'meanOfSlowestHundredth', value: tailMeanNs, unit: 'ns' },
    ]),
    ...single('closure', summary.closure, 'ratio'),
    ...(summary.closureWithoutNetwork == null
      ? []
      : single('closureWithoutNetwork', summary.closureWithoutNetwork, 'ratio')),
    ...single('meanBatch', summary.meanBatch, 'rows'),
    ...summary.batches.map(({ size, count }) => ({
      ...{ metric: 'executionsOfSize', statistic: String(size), value: count, unit: 'count' },
    })),
    ...summary.processes.flatMap(processNumbers),
    ...(summary.accuracy
      ? single(`accuracy:${summary.accuracy.metric}`, summary.accuracy.value, 'ratio', summary.accuracy.interval)
      : []),
  ];
}

/** The load type's own metric; its name is the statistic. */
function primary({ primary: { name, value, unit, reason = '' } }: TrialSummary): Entry {
  return { metric: 'primary', statistic: name, value, unit, reason };
}

function rates(summary: TrialSummary): Entry[] {
  return [
    ...single('offeredRate', summary.offeredPerSecond, '1/s'),
    ...single('throughput', summary.throughputPerSecond, '1/s', summary.throughputInterval),
    ...single('goodput', summary.goodputPerSecond, '1/s'),
    ...single('duration', summary.durationNs, 'ns'),
  ];
}

function processNumbers({
  role,
  userSeconds,
  systemSeconds,
  rssPeakBytes,
}: TrialSummary['processes'][number]): Entry[] {
  return [
    { metric: `cpu:${role}`, statistic: 'user', value: userSeconds, unit: 's' },
    { metric: `cpu:${role}`, statistic: 'system', value: systemSeconds, unit: 's' },
    { metric: `rss:${role}`, statistic: 'peak', value: rssPeakBytes, unit: 'bytes' },
  ];
}

function single(metric: string, value: number | null, unit: string, interval?: Interval, reason = ''): Entry[] {
  return [{ metric, statistic: 'value', value, unit, ...bounds(interval), reason }];
}

const PERCENTILES = ['p50', 'p90', 'p95', 'p97', 'p99', 'p999'] as const;

function distribution(metric: string, all: Distribution): Entry[] {
  return [
    { metric, statistic: 'count', value: all.count, unit: 'count' },
    ...(['min', 'mean'] as const).map((statistic) => ({ metric, statistic, value: all[statistic], unit: 'ns' })),
    ...PERCENTILES.map((statistic) => ({ metric, statistic, unit: 'ns', ...quantile(all[statistic]) })),
    { metric, statistic: 'max', value: all.max, unit: 'ns' },
  ];
}

function quantile(found: Quantile) {
  if (found.value === null) return { value: null, reason: found.reason };
  return { value: found.value, ...bounds(found.interval) };
}

function bounds(interval: Interval | undefined) {
  return interval ? { low: interval.low, high: interval.high, level: interval.level } : {};
}
