import type { ProcessUsage, TrialSummary } from '../summary.js';
import { formatDuration, formatSize } from '../units.js';
import type { Block, Cell, ViewDefinition } from './contract.js';
import { type Merged, merge } from './support/figures.js';
import { groupBy } from './support/group-by.js';
import { comparedGroups, type Group } from './support/groups.js';
import { manyTransports, rowLabel, traced } from './support/text.js';

/** What an answer costs in processor time, and the memory it takes. */
export const cost: ViewDefinition = {
  name: 'cost',
  summary: 'CPU time per answer and resident memory, process by process',
  render({ run }) {
    const groups = comparedGroups(run).filter((group) => rolesOf(group).length > 0);
    if (groups.length === 0) return undefined;
    const text =
      'User and system time over the measured window, divided by the answered requests. Batching that saves no CPU time has only moved the waiting.';
    return [
      { kind: 'heading', text: 'Cost of an answer' },
      { kind: 'text', text },
      cpuTable('CPU time per answer: serving (server and workers)', groups, (role) => role !== 'load'),
      cpuTable('CPU time per answer: the load process', groups, (role) => role === 'load'),
      ...memoryTable(groups),
    ];
  },
};

function cpuTable(caption: string, groups: readonly Group[], counts: (role: string) => boolean): Block {
  const loads = [...new Set(groups.map((group) => group.load))];
  return {
    kind: 'table',
    caption,
    columns: [{ title: 'system', align: 'left' }, ...loads.map((title) => ({ title, align: 'right' }) as const)],
    rows: systemRows(groups).map(([label, list]): Cell[] => [
      label,
      ...loads.map((load) => {
        const group = list.find((each) => each.load === load);
        const merged = group && merge(group, { pick: (summary) => cpuPerAnswer(summary, counts) });
        return traced(cell(merged, formatDuration), group);
      }),
    ]),
  };
}

/** ns; null where nothing was measured or answered. */
function cpuPerAnswer({ processes, counts: { ok } }: TrialSummary, counts: (role: string) => boolean): number | null {
  const used = processes.filter(({ role }) => counts(role));
  if (used.length === 0 || ok === 0) return null;
  return (used.reduce((sum, each) => sum + each.userSeconds + each.systemSeconds, 0) * 1e9) / ok;
}

/** The largest over all loads: what must be there. */
function memoryTable(groups: readonly Group[]): Block[] {
  const roles = [...new Set(groups.flatMap(rolesOf))].filter((role) => peakOf(groups, role) !== null);
  if (roles.length === 0) return [];
  return [
    {
      kind: 'table',
      caption: 'Resident memory: peak over all loads, and the largest growth within a window',
      columns: [{ title: 'system', align: 'left' }, ...roles.map((title) => ({ title, align: 'right' }) as const)],
      rows: systemRows(groups).map(([label, list]): Cell[] => [
        label,
        ...roles.map((role) => traced(memoryCell(list, role), ...list)),
      ]),
    },
  ];
}

function memoryCell(groups: readonly Group[], role: string): Cell {
  const peak = peakOf(groups, role);
  if (peak === null) return { text: '–', mark: 'dim' };
  const growth = Math.max(
    0,
    ...usagesOf(groups, role).map((used) => (used.rssLastBytes ?? 0) - (used.rssFirstBytes ?? 0)),
  );
  return growth > 0 ? `${formatSize(peak)} (+${formatSize(growth)})` : formatSize(peak);
}

function peakOf(groups: readonly Group[], role: string): number | null {
  const peaks = usagesOf(groups, role).flatMap(({ rssPeakBytes }) => rssPeakBytes ?? []);
  return peaks.length > 0 ? Math.max(...peaks) : null;
}

function usagesOf(groups: readonly Group[], role: string): ProcessUsage[] {
  const all = groups.flatMap((group) => group.summaries.flatMap((summary) => summary.processes));
  return all.filter((process) => process.role === role);
}

function systemRows(groups: readonly Group[]): [label: string, groups: Group[]][] {
  const several = manyTransports(groups);
  return [...groupBy(groups, (group) => rowLabel(group, several))];
}

function cell(merged: Merged | undefined, format: (value: number) => string): Cell {
  return merged ? format(merged.value) : { text: '–', mark: 'dim' };
}

function rolesOf(group: Group): string[] {
  return [...new Set(group.summaries.flatMap((summary) => summary.processes.map((process) => process.role)))];
}
