import type { Block, Cell, ViewDefinition, ViewInput } from './contract.js';
import { CHART_HEIGHT, CHART_WIDTH, chart, chartName, systemColour } from './support/charts.js';
import { merge } from './support/figures.js';
import { groupBy } from './support/group-by.js';
import { arenas, comparedGroups, type Group } from './support/groups.js';
import { manyTransports, placeText, rowLabel, traced } from './support/text.js';

/** How many rows the executions held. Absent where no system ever batched. */
export const batches: ViewDefinition = {
  name: 'batches',
  summary: 'Mean batch size, and the share of rows by size of their execution',
  render(input) {
    const groups = comparedGroups(input.run);
    const batching = groups.filter((group) => sizes(group).some(({ size }) => size > 1));
    if (batching.length === 0) return undefined;
    const charts = arenas(batching).map((arena) => chartOf(arena, manyTransports(groups), input));
    return [{ kind: 'heading', text: 'Batch sizes' }, meanTable(groups), ...charts];
  },
};

function meanTable(groups: readonly Group[]): Block {
  const loads = [...new Set(groups.map((group) => group.load))];
  const transports = manyTransports(groups);
  const rows = [...groupBy(groups, (group) => rowLabel(group, transports))].map(([label, list]): Cell[] => [
    label,
    ...loads.map((load): Cell => {
      const group = list.find((each) => each.load === load);
      const mean = group && merge(group, { pick: (summary) => summary.meanBatch });
      return traced(mean ? mean.value.toFixed(2) : { text: '–', mark: 'dim' }, group);
    }),
  ]);
  return {
    kind: 'table',
    caption: 'Mean rows per execution (median over the repeats)',
    columns: [{ title: 'system', align: 'left' }, ...loads.map((title) => ({ title, align: 'right' }) as const)],
    rows,
  };
}

function chartOf(arena: readonly Group[], transports: boolean, { run }: ViewInput): Block {
  const { load, transport, simulated } = arena[0]!;
  const names = arena.map((group) => group.system);
  return {
    kind: 'chart',
    name: chartName('batches', load, transport, simulated ? 'simulated' : ''),
    caption: `Share of rows by the size of their execution: ${placeText(arena[0]!, transports)}`,
    spec: chart({
      width: CHART_WIDTH,
      height: CHART_HEIGHT - 40,
      data: { values: arena.flatMap(shares) },
      mark: { type: 'bar' },
      encoding: {
        x: {
          field: 'size',
          type: 'ordinal',
          scale: { domain: sizeAxis(arena) },
          title: 'rows per execution',
          axis: { labelAngle: 0, labelOverlap: true },
        },
        xOffset: { field: 'system', type: 'nominal' },
        y: { field: 'share', type: 'quantitative', title: 'share of rows', axis: { format: '.0%' } },
        color: systemColour(run, names),
      },
    }),
  };
}

/** Every size up to the largest, so that gaps show; where that is too many, those that occurred. */
function sizeAxis(arena: readonly Group[]): number[] {
  const seen = [...new Set(arena.flatMap((group) => sizes(group).map(({ size }) => size)))].sort((a, b) => a - b);
  const largest = seen.at(-1) ?? 1;
  return largest <= 64 ? Array.from({ length: largest }, (_, i) => i + 1) : seen;
}

function shares(group: Group): { system: string; size: number; share: number }[] {
  const all = sizes(group);
  const rows = all.reduce((sum, { size, count }) => sum + size * count, 0);
  return all.map(({ size, count }) => ({ system: group.system, size, share: (size * count) / rows }));
}

/** Executions by size over all repeats, ascending. */
function sizes(group: Group): { size: number; count: number }[] {
  const counts = new Map<number, number>();
  for (const { batches: list } of group.summaries)
    for (const { size, count } of list) counts.set(size, (counts.get(size) ?? 0) + count);
  return [...counts].map(([size, count]) => ({ size, count })).sort((a, b) => a.size - b.size);
}
