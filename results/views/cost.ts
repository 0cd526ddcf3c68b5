import type { ProcessUsage, TrialSummary } from '../summary.js';
import { formatDuration, formatSize } from '../units.js';
import type { Block, Cell, ViewDefinition } from './contract.js';
import { merge } from './support/figures.js';
import { groupBy } from './support/group-by.js';
import { comparedGroups, type Group } from './support/groups.js';
import { manyTransports, rowLabel } from './support/text.js';

/** What an answer costs in processor time, and the memory it takes. */
export const cost: ViewDefinition = {
  name: 'cost',
  summary: 'CPU time an answer and resident memory, process by process',
  render({ run }) {
    const groups = comparedGroups(run).filter((group) => rolesOf(group).length > 0);
    if (groups.length === 0) return undefined;
    const several = manyTransports(groups);
    const text =
      'User and system time of each process over the measured window, divided by the answered requests. Batching that saves no CPU time here has only moved the waiting. Memory is the peak resident set, with its growth over the window where that is more than 5 %.';
    return [
      { kind: 'heading', text: 'Cost of an answer' },
      { kind: 'text', text },
      ...[...groupBy(groups, (group) => group.load)].map(([load, list]) => table(load, list, several)),
    ];
  },
};

function table(load: string, groups: readonly Group[], several: boolean): Block {
  const roles = [...new Set(groups.flatMap(rolesOf))];
  const titles = [...roles.map((role) => `CPU ${role}`), ...roles.map((role) => `memory ${role}`)];
  return {
    kind: 'table',
    caption: `CPU an answer and memory under ${load}`,
    columns: [{ title: 'system', align: 'left' }, ...titles.map((title) => ({ title, align: 'right' }) as const)],
    rows: groups.map((group): Cell[] => [
      rowLabel(group, several),
      ...roles.map((role) => cpuCell(group, role)),
      ...roles.map((role) => memoryCell(group, role)),
    ]),
  };
}

function cpuCell(group: Group, role: string): Cell {
  const pick = (summary: TrialSummary) => {
    const used = usage(summary, role);
    return used && summary.counts.ok > 0 ? ((used.userSeconds + used.systemSeconds) * 1e9) / summary.counts.ok : null;
  };
  const merged = merge(group, { pick });
  return merged ? formatDuration(merged.value) : { text: '–', mark: 'dim' };
}

function memoryCell(group: Group, role: string): Cell {
  const peak = merge(group, { pick: (summary) => usage(summary, role)?.rssPeakBytes ?? null });
  if (!peak) return { text: '–', mark: 'dim' };
  const growth = merge(group, { pick: (summary) => growthOf(usage(summary, role)) });
  const grown = growth && growth.value > 0.05 ? ` (+${Math.round(100 * growth.value)} %)` : '';
  return `${formatSize(peak.value)}${grown}`;
}

function growthOf(used: ProcessUsage | undefined): number | null {
  if (!used || used.rssFirstBytes === null || used.rssLastBytes === null || used.rssFirstBytes === 0) return null;
  return used.rssLastBytes / used.rssFirstBytes - 1;
}

function usage(summary: TrialSummary, role: string): ProcessUsage | undefined {
  return summary.processes.find((process) => process.role === role);
}

function rolesOf(group: Group): string[] {
  return [...new Set(group.summaries.flatMap((summary) => summary.processes.map((process) => process.role)))];
}
