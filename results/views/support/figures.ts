import type { Interval, Quantile, TrialSummary } from '../../summary.js';
import { formatDuration, formatRate } from '../../units.js';
import type { Group } from './groups.js';

/** A number of a trial that systems are compared by. */
export interface Figure {
  /** As in a sentence: `p99 latency`. */
  readonly name: string;
  readonly better: 'lower' | 'higher';
  pick(summary: TrialSummary): number | null;
  /** What the trial alone says about its uncertainty. */
  interval(summary: TrialSummary): Interval | undefined;
  format(value: number): string;
}

export type Percentile = 'p50' | 'p90' | 'p95' | 'p97' | 'p99' | 'p999';

export const PERCENTILE_NAMES: Readonly<Record<Percentile, string>> = {
  p50: 'p50',
  p90: 'p90',
  p95: 'p95',
  p97: 'p97',
  p99: 'p99',
  p999: 'p99.9',
};

export function latency(percentile: Percentile): Figure {
  return {
    name: `${PERCENTILE_NAMES[percentile]} latency`,
    better: 'lower',
    pick: (summary) => summary.latencyNs[percentile].value,
    interval: ({ latencyNs: { [percentile]: quantile } }) => (quantile.value === null ? undefined : quantile.interval),
    format: formatDuration,
  };
}

export const throughput: Figure = {
  name: 'throughput',
  better: 'higher',
  pick: (summary) => summary.throughputPerSecond,
  interval: (summary) => summary.throughputInterval,
  format: formatRate,
};

export const goodput: Figure = {
  name: 'goodput',
  better: 'higher',
  pick: (summary) => summary.goodputPerSecond,
  /** The throughput's, scaled: good answers come and go with all answers. */
  interval: ({ goodputPerSecond: good, throughputPerSecond: all, throughputInterval: interval }) => {
    if (good === null || !all || !interval) return undefined;
    return { ...interval, low: (interval.low * good) / all, high: (interval.high * good) / all };
  },
  format: formatRate,
};

/** The tail latency that enough requests stand behind in every group: p99, or the highest below it. */
export function commonTail(groups: readonly Group[]): Figure | undefined {
  const candidates: readonly Percentile[] = ['p99', 'p97', 'p95', 'p90', 'p50'];
  const measured = groups.filter((group) => group.summaries.length > 0);
  const found = candidates.find((name) => measured.every((group) => merge(group, latency(name)) !== undefined));
  return found && measured.length > 0 ? latency(found) : undefined;
}

/** Repeats as one figure. */
export interface Merged {
  /** Median over the repeats that have the figure. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

/** Undefined where no repeat has the figure. */
export function merge(group: Group, figure: Pick<Figure, 'pick'>): Merged | undefined {
  const values = group.summaries.map((summary) => figure.pick(summary)).filter((value) => value !== null);
  return mergeValues(values);
}

export function mergeValues(values: readonly number[]): Merged | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const value = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
  return { value, low: sorted[0]!, high: sorted.at(-1)!, n: sorted.length };
}

/** Why no repeat has the percentile: the first repeat's reason. */
export function missingReason(quantiles: readonly Quantile[]): string {
  const reasons = quantiles.flatMap((quantile) => (quantile.value === null ? [quantile.reason] : []));
  return reasons[0] ?? 'not measured';
}
