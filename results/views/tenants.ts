import type { TenantSummary } from '../summary.js';
import { formatDuration, formatRate } from '../units.js';
import type { Block, Cell, ViewDefinition } from './contract.js';
import { mergeValues } from './support/figures.js';
import { groupBy } from './support/group-by.js';
import { comparedGroups, type Group } from './support/groups.js';
import { manyTransports, rowLabel, traced } from './support/text.js';

/** What each tenant of a mixed load got from each system: means over the repeats. */
export const tenants: ViewDefinition = {
  name: 'tenants',
  summary: 'Mixed loads: requests, errors and latency of each tenant',
  render({ run }) {
    const groups = comparedGroups(run).filter((group) => group.summaries.some((summary) => summary.tenants));
    if (groups.length === 0) return undefined;
    const transports = manyTransports(groups);
    return [
      { kind: 'heading', text: 'Tenants' },
      {
        kind: 'text',
        text: 'The kinds of requests of mixed loads. Every system got the same kinds in the same order; latency counts from the due time.',
      },
      ...[...groupBy(groups, (group) => group.load)].map(([load, list]) => table(load, list, transports)),
    ];
  },
};

const COLUMNS = ['tenant', 'offered', 'answered', 'errors', 'p50', 'p95', 'p99', 'max'];

function table(load: string, groups: readonly Group[], transports: boolean): Block {
  return {
    kind: 'table',
    caption: `Under ${load}`,
    columns: ['system', ...COLUMNS].map((title, i) => ({ title, align: i < 2 ? 'left' : 'right' })),
    rows: groups.flatMap((group) => {
      const names = new Set(group.summaries.flatMap(({ tenants = [] }) => tenants.map(({ tenant }) => tenant)));
      return [...names].map((name): Cell[] => [
        rowLabel(group, transports),
        name,
        ...figures(group, name).map((cell) => traced(cell, group)),
      ]);
    }),
  };
}

function figures(group: Group, name: string): Cell[] {
  const own = group.summaries.flatMap(({ tenants = [] }) => tenants.filter(({ tenant }) => tenant === name));
  const mean = (pick: (tenant: TenantSummary) => number | null): number | undefined => {
    const known = own.map(pick).filter((value) => value !== null);
    return known.length === own.length ? mergeValues(known)?.value : undefined;
  };
  const count = (value: number | undefined) => (value === undefined ? DASH : Math.round(value).toLocaleString('en-US'));
  const time = (value: number | undefined) => (value === undefined ? DASH : formatDuration(value));
  const perSecond = mean(({ okPerSecond }) => okPerSecond);
  return [
    count(mean(({ offered }) => offered)),
    perSecond === undefined ? DASH : formatRate(perSecond),
    count(mean(({ errors }) => errors)),
    time(mean(({ latencyNs }) => latencyNs.p50.value)),
    time(mean(({ latencyNs }) => latencyNs.p95.value)),
    time(mean(({ latencyNs }) => latencyNs.p99.value)),
    time(mean(({ latencyNs }) => latencyNs.max)),
  ];
}

/** Too few requests, or none: percentiles have their floor here too. */
const DASH = { text: '–', mark: 'dim' } as const;
