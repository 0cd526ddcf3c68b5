import { formatDuration } from '../units.js';
import type { Block, Cell, ViewDefinition } from './contract.js';
import {
  latency,
  type Merged,
  merge,
  mergeValues,
  missingReason,
  PERCENTILE_NAMES,
  type Percentile,
} from './support/figures.js';
import { groupBy } from './support/group-by.js';
import { comparedGroups, type Group } from './support/groups.js';
import { absence, cautionText, manyTransports, rangeText, rowLabel, traced } from './support/text.js';

const SHOWN: readonly Percentile[] = ['p50', 'p90', 'p95', 'p99', 'p999'];

/** Latency percentiles of every cell: one table a load. */
export const percentiles: ViewDefinition = {
  name: 'percentiles',
  summary: 'Latency percentiles with their intervals, one table a load',
  render({ run }) {
    const groups = comparedGroups(run);
    if (groups.length === 0) return undefined;
    const loads = [...groupBy(groups, (group) => group.load)];
    return [
      { kind: 'heading', text: 'Latency percentiles' },
      {
        kind: 'text',
        text: 'Completed − due, of requests that were answered. The interval of p99 is the widest block-bootstrap interval (95 %) over the repeats. A percentile that too few requests stand behind is not printed as a number.',
      },
      ...loads.map(([load, list]) => table(load, list, manyTransports(groups))),
    ];
  },
};

function table(load: string, groups: readonly Group[], transports: boolean): Block {
  // A column without a number says so once, in the caption.
  const shown = SHOWN.filter((percentile) => groups.some((group) => merge(group, latency(percentile)) !== undefined));
  const titles = ['answered', ...shown.map((p) => PERCENTILE_NAMES[p]), 'p99 interval', 'max', 'lateness p99'];
  return {
    kind: 'table',
    caption: `Under ${load}${leftOut(groups, shown)}`,
    columns: [{ title: 'system', align: 'left' }, ...titles.map((title) => ({ title, align: 'right' }) as const)],
    rows: groups.map((group): Cell[] => {
      const caution = cautionText(group);
      const label = `${rowLabel(group, transports)}${caution && ` ${caution}`}`;
      const name: Cell = caution ? { text: label, mark: 'bad' } : label;
      const missing = absence(group);
      if (missing) return [name, ...titles.map((_, i): Cell => ({ text: i === 0 ? missing : '–', mark: 'dim' }))];
      return [name, ...figures(group, shown).map((cell) => traced(cell, group))];
    }),
  };
}

function leftOut(groups: readonly Group[], shown: readonly Percentile[]): string {
  const [missing] = SHOWN.filter((percentile) => !shown.includes(percentile));
  const summaries = groups.flatMap((group) => group.summaries);
  if (missing === undefined || summaries.length === 0) return '';
  return ` (${PERCENTILE_NAMES[missing]}: ${missingReason(summaries.map((summary) => summary.latencyNs[missing]))})`;
}

function figures(group: Group, shown: readonly Percentile[]): Cell[] {
  const ok = mergeValues(group.summaries.map((summary) => summary.counts.ok))!;
  return [
    Math.round(ok.value).toLocaleString('en-US'),
    ...shown.map((percentile) => percentileCell(group, percentile)),
    intervalCell(group),
    durationCell(merge(group, { pick: (summary) => summary.latencyNs.max })),
    durationCell(merge(group, { pick: (summary) => summary.latenessNs.p99.value ?? summary.latenessNs.max })),
  ];
}

function percentileCell(group: Group, percentile: Percentile): Cell {
  const merged = merge(group, latency(percentile));
  if (merged) return formatDuration(merged.value);
  return { text: missingReason(group.summaries.map((summary) => summary.latencyNs[percentile])), mark: 'dim' };
}

function intervalCell(group: Group): Cell {
  const intervals = group.summaries.flatMap(({ latencyNs: { p99 } }) =>
    p99.value !== null && p99.interval ? [p99.interval] : [],
  );
  if (intervals.length === 0) return { text: '–', mark: 'dim' };
  const low = Math.min(...intervals.map((interval) => interval.low));
  const high = Math.max(...intervals.map((interval) => interval.high));
  return rangeText(low, high, formatDuration);
}

function durationCell(merged: Merged | undefined): Cell {
  return merged ? formatDuration(merged.value) : { text: '–', mark: 'dim' };
}
