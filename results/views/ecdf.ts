import { measuredWindow } from '../window.js';
import type { Block, ViewDefinition, ViewInput } from './contract.js';
import { bandOf, bandText } from './support/bands.js';
import { CHART_HEIGHT, CHART_WIDTH, chart, chartName, logAxis, systemColour, systemDash } from './support/charts.js';
import { latency, merge, type Percentile } from './support/figures.js';
import { arenas, comparedGroups, type Group } from './support/groups.js';
import { manyTransports, placeText } from './support/text.js';

/** The whole distribution of latencies, tail stretched: the share of requests that took longer than x. */
export const ecdf: ViewDefinition = {
  name: 'ecdf',
  summary: 'Latency distributions with a logarithmic tail, one chart a load and transport',
  render(input) {
    const groups = comparedGroups(input.run);
    const charts = arenas(groups).flatMap((arena) => chartOf(arena, manyTransports(groups), input));
    if (charts.length === 0) return undefined;
    const text =
      'Each line is the share of requests that took longer than x, repeats pooled. A line further left is faster; how far right it ends is the tail. Horizontal bars at the usual percentiles are intervals.';
    return [{ kind: 'heading', text: 'Latency distributions' }, { kind: 'text', text }, ...charts];
  },
};

interface Point {
  readonly system: string;
  /** ms */
  readonly latency: number;
  /** Share of requests that took longer, in (0, 1]. */
  readonly longer: number;
}

function chartOf(arena: readonly Group[], transports: boolean, input: ViewInput): Block[] {
  const points = arena.flatMap((group) => tailPoints(group, input));
  if (points.length === 0) return [];
  const { load, transport, simulated } = arena[0]!;
  const names = [...new Set(points.map((point) => point.system))];
  const bars = arena.flatMap(barsOf);
  const color = systemColour(input.run, names);
  const x = {
    field: 'latency',
    type: 'quantitative' as const,
    title: 'latency (ms)',
    scale: { type: 'log' as const, nice: false },
    axis: logAxis(points.map((point) => point.latency)),
  };
  const y = {
    field: 'longer',
    type: 'quantitative' as const,
    title: 'share that took longer',
    scale: { type: 'log' as const, domain: [floorOf(points), 1], nice: false },
    axis: { values: TICKS, labelExpr: TICK_LABELS },
  };
  return [
    {
      kind: 'chart',
      name: chartName('ecdf', load, transport, simulated ? 'simulated' : ''),
      caption: `Latency distribution: ${placeText(arena[0]!, transports)}; ${bandText(arena).replace('bands', 'bars')}`,
      spec: chart({
        width: CHART_WIDTH,
        height: CHART_HEIGHT,
        data: { values: points },
        layer: [
          {
            mark: { type: 'line', strokeWidth: 2, interpolate: 'step-before' },
            encoding: {
              x,
              y,
              order: { field: 'longer', type: 'quantitative', sort: 'descending' },
              color,
              strokeDash: systemDash(input.run, names),
            },
          },
          {
            data: { values: bars },
            mark: { type: 'rule', strokeWidth: 5, opacity: 0.35 },
            encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, y, color },
          },
        ],
      }),
    },
  ];
}

const TICKS = [1, 0.1, 0.01, 0.001, 0.0001, 0.00001];
const TICK_LABELS =
  "datum.value >= 0.01 ? format(datum.value, '.0%') : datum.value >= 0.001 ? '0.1%' : format(datum.value * 100, '~f') + '%'";

const LEVELS: readonly (readonly [Percentile, number])[] = [
  ['p50', 0.5],
  ['p90', 0.1],
  ['p95', 0.05],
  ['p99', 0.01],
  ['p999', 0.001],
];

/** Intervals of the percentiles that enough requests stand behind, ms. */
function barsOf(group: Group): { system: string; longer: number; low: number; high: number }[] {
  return LEVELS.flatMap(([percentile, longer]) => {
    const band = merge(group, latency(percentile)) && bandOf(group, latency(percentile));
    return band && band.low > 0 ? [{ system: group.system, longer, low: toMs(band.low), high: toMs(band.high) }] : [];
  });
}

/** A decade below the rarest share that is drawn. */
function floorOf(points: readonly Point[]): number {
  const smallest = Math.min(...points.map((point) => point.longer));
  return 10 ** Math.floor(Math.log10(smallest) + 1e-9);
}

/** Some 20 points a decade of the tail instead of one a request. */
function tailPoints(group: Group, input: ViewInput): Point[] {
  const sorted = pooledLatencies(group, input);
  const n = sorted.length;
  if (n === 0) return [];
  const indices = new Set([0]);
  for (let longer = 1; longer >= 1 / n; longer /= 10 ** (1 / 20))
    indices.add(Math.min(n - 1, Math.floor(n * (1 - longer))));
  for (let i = 1; i < 20; i++) indices.add(Math.floor((n * i) / 20));
  indices.add(n - 1);
  return [...indices]
    .sort((a, b) => a - b)
    .map((i) => ({ system: group.system, latency: toMs(sorted[i]!), longer: Number(((n - i) / n).toPrecision(5)) }));
}

/** Of answered requests (multi-stream: queries) after warm-up, ns, ascending. */
function pooledLatencies(group: Group, { records }: ViewInput): Float64Array {
  const perQuery = group.loadType === 'multi-stream';
  const repeats = group.summaries.flatMap(({ trial, durationNs }) => {
    const table = records(trial.id);
    return table ? [measuredWindow(table, { durationNs, scheduled: false, perQuery }).latencyNs] : [];
  });
  const pooled = new Float64Array(repeats.reduce((sum, values) => sum + values.length, 0));
  repeats.reduce((at, values) => {
    pooled.set(values, at);
    return at + values.length;
  }, 0);
  // A logarithmic axis has no place for 0.
  return pooled.filter((ns) => ns > 0).sort();
}

function toMs(ns: number): number {
  return Number((ns / 1e6).toPrecision(5));
}
