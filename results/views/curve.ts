import type { Block, ViewDefinition, ViewInput } from './contract.js';
import { bandOf, bandText } from './support/bands.js';
import { CHART_HEIGHT, CHART_WIDTH, chart, chartName, logAxis, systemColour, systemDash } from './support/charts.js';
import { commonTail, merge, throughput } from './support/figures.js';
import { groupBy } from './support/group-by.js';
import { comparedGroups, type Group } from './support/groups.js';
import { manyTransports } from './support/text.js';

/** Tail latency against throughput: how far a system can be driven, and at what price. */
export const curve: ViewDefinition = {
  name: 'curve',
  summary: 'Tail latency against throughput, one point a load',
  render(input) {
    // Offline has one query: its latency is its duration, which says nothing beside the others.
    const groups = comparedGroups(input.run).filter((group) => group.loadType !== 'offline');
    const charts = [...groupBy(groups, (group) => `${group.transport} ${group.simulated}`).values()].flatMap((list) =>
      chartOf(list, manyTransports(groups), input),
    );
    return charts.length === 0 ? undefined : [{ kind: 'heading', text: 'Latency against throughput' }, ...charts];
  },
};

/** Loads that drive a system ever harder make a curve; single-stream is a point beside it. */
const RATED: readonly string[] = ['server', 'open', 'closed'];

function chartOf(groups: readonly Group[], transports: boolean, { run }: ViewInput): Block[] {
  const tail = commonTail(groups);
  if (!tail) return [];
  const points = groups.flatMap((group) => {
    const [x, y] = [merge(group, throughput), merge(group, tail)];
    if (!x || !y) return [];
    const { system, load, loadType } = group;
    const band = bandOf(group, tail) ?? y;
    const across = bandOf(group, throughput) ?? x;
    return [
      {
        system,
        load,
        loadType,
        rated: RATED.includes(loadType),
        x: x.value,
        y: y.value / 1e6,
        low: band.low / 1e6,
        high: band.high / 1e6,
        left: across.low,
        right: across.high,
      },
    ];
  });
  // A line through fewer than two points shows nothing that the tables do not.
  if (new Set(points.map((point) => point.load)).size < 2) return [];
  const { transport, simulated } = groups[0]!;
  const where = `${transports ? ` · ${transport}` : ''}${simulated ? ' (simulated)' : ''}`;
  const names = points.map((point) => point.system);
  const heights = points.flatMap((point) => [point.low, point.high]);
  const x = { field: 'x', type: 'quantitative' as const, title: 'throughput (answers/s)' };
  const y = {
    field: 'y',
    type: 'quantitative' as const,
    title: `${tail.name} (ms)`,
    scale: { type: 'log' as const, nice: false, domain: [Math.min(...heights) / 1.3, Math.max(...heights) * 1.5] },
    axis: logAxis([Math.min(...heights) / 1.3, Math.max(...heights) * 1.5]),
  };
  const color = systemColour(run, names);
  // An open and a closed loop are not two points of one curve.
  const detail = { field: 'loadType', type: 'nominal' as const };
  return [
    {
      kind: 'chart',
      name: chartName('curve', transport, simulated ? 'simulated' : ''),
      caption: `${tail.name} against throughput${where}; one point per load; ${bandText(groups)}. Right and low is better.`,
      spec: chart({
        width: CHART_WIDTH,
        height: CHART_HEIGHT + 40,
        data: { values: points },
        layer: [
          {
            mark: { type: 'area', opacity: 0.15 },
            encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color, detail },
            transform: [{ filter: 'datum.rated' }],
          },
          {
            mark: { type: 'line', strokeWidth: 2 },
            encoding: {
              x,
              y,
              color,
              strokeDash: systemDash(run, names),
              order: { field: 'x', type: 'quantitative' },
              detail,
            },
            transform: [{ filter: 'datum.rated' }],
          },
          {
            mark: { type: 'rule', strokeWidth: 1.5 },
            encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
          },
          {
            mark: { type: 'rule', strokeWidth: 1.5 },
            encoding: { x: { ...x, field: 'left' }, x2: { field: 'right' }, y, color },
          },
          { mark: { type: 'point', filled: true, size: 45, opacity: 1 }, encoding: { x, y, color } },
          {
            mark: { type: 'text', dy: -9, fontSize: 10 },
            encoding: { x, y, text: { field: 'load', type: 'nominal' } },
            transform: [{ filter: { field: 'system', equal: names[0]! } }],
          },
        ],
      }),
    },
  ];
}
