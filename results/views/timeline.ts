import { course, type Readings } from '../readings.js';
import { type TimeSeries, timeSeries } from '../timeline.js';
import type { Block, ViewDefinition, ViewInput } from './contract.js';
import { CHART_WIDTH, chart, chartName, logAxis, systemColour } from './support/charts.js';
import { mergeValues } from './support/figures.js';
import { arenas, comparedGroups, type Group } from './support/groups.js';
import { manyTransports, placeText } from './support/text.js';

/** What happened when: rate, latency, queue and batch size on one time axis. */
export const timeline: ViewDefinition = {
  name: 'timeline',
  summary:
    'Rate, latency, outstanding requests, batch size and device on one time axis, one chart a load and transport',
  render(input) {
    const groups = comparedGroups(input.run);
    const charts = arenas(groups).flatMap((arena) => chartOf(arena, manyTransports(groups), input));
    if (charts.length === 0) return undefined;
    const text =
      'Time runs from the first due request. Lines are medians: of latency over the requests due at that time, with a band from p5 to p95; of the others over the repeats, with a band over their range where there are several. Outstanding: due and not yet answered. A line that keeps rising there is a system that can’t keep up.';
    return [{ kind: 'heading', text: 'Over time' }, { kind: 'text', text }, ...charts];
  },
};

const BINS = 48;

interface Point {
  readonly panel: PanelName;
  readonly system: string;
  /** s */
  readonly t: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const PANELS = {
  rate: 'answers/s',
  latency: 'latency (ms)',
  outstanding: 'outstanding',
  batch: 'rows/execution',
  replicas: 'replicas',
  cpu: 'server cores',
  gpu: 'GPU (%)',
} as const;
type PanelName = keyof typeof PANELS;

function chartOf(arena: readonly Group[], transports: boolean, input: ViewInput): Block[] {
  const endNs = Math.max(...arena.flatMap((group) => group.summaries.map(({ durationNs }) => durationNs)));
  const points = arena.flatMap((group) => pointsOf(group, endNs, input));
  if (points.length === 0) return [];
  const panels = (Object.keys(PANELS) as PanelName[]).filter((panel) => worthShowing(panel, points));
  const { load, transport, simulated } = arena[0]!;
  const names = [...new Set(points.map((point) => point.system))];
  return [
    {
      kind: 'chart',
      name: chartName('timeline', load, transport, simulated ? 'simulated' : ''),
      caption: `${panels.map((panel) => TITLES[panel]).join(', ')} over time: ${placeText(arena[0]!, transports)}`,
      spec: chart({
        spacing: 10,
        vconcat: panels.map((panel, at) => panelOf(panel, points, at === panels.length - 1, input, names)),
        resolve: { scale: { x: 'shared' } },
      }),
    },
  ];
}

const TITLES: Readonly<Record<PanelName, string>> = {
  rate: 'Rate',
  latency: 'latency',
  outstanding: 'queue',
  batch: 'batch size',
  replicas: 'replicas that take requests',
  cpu: 'processor time of the server',
  gpu: 'GPU utilization',
};

/** Batches of one all along are no picture, nor are replicas that nobody scales. */
function worthShowing(panel: PanelName, points: readonly Point[]): boolean {
  const own = points.filter((point) => point.panel === panel);
  if (panel === 'replicas')
    return own.some(({ value, system }) => value !== own.find((one) => one.system === system)!.value);
  return panel === 'batch' ? own.some(({ value }) => value > 1.01) : own.length > 0;
}

function panelOf(panel: PanelName, points: readonly Point[], last: boolean, { run }: ViewInput, names: string[]) {
  const color = systemColour(run, names);
  const own = points.filter((point) => point.panel === panel);
  const log = panel === 'latency';
  const x = {
    field: 't',
    type: 'quantitative' as const,
    title: last ? 'time (s)' : null,
    axis: { labels: last, ticks: last },
    scale: { nice: false },
  };
  const y = {
    field: 'value',
    type: 'quantitative' as const,
    title: PANELS[panel],
    scale: log ? { type: 'log' as const, nice: false } : {},
    axis: {
      ...{ tickCount: 3, titleFontSize: 11, minExtent: 38 },
      ...(log ? logAxis(own.flatMap(({ low, high }) => [low, high])) : {}),
    },
  };
  return {
    width: CHART_WIDTH,
    height: PANEL_HEIGHT,
    data: { values: own.map(({ panel: _, ...point }) => point) },
    layer: [
      {
        mark: { type: 'area' as const, opacity: 0.18, interpolate: 'step' as const },
        encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
      },
      {
        mark: { type: 'line' as const, strokeWidth: 1.5, interpolate: 'step' as const },
        encoding: { x, y, color },
      },
    ],
  };
}

const PANEL_HEIGHT = 72;

function pointsOf(group: Group, endNs: number, { records, readings }: ViewInput): Point[] {
  const series = group.summaries.flatMap(({ trial }) => {
    const table = records(trial.id);
    return table ? [timeSeries(table, BINS, endNs)] : [];
  });
  if (series.length === 0) return [];
  const devices = group.summaries.flatMap(({ trial }) => readings?.(trial.id) ?? []);
  return [
    ...Array.from({ length: BINS }, (_, bin) => binPoints(group.system, series, bin)).flat(),
    ...devicePoints(group.system, devices, endNs),
  ];
}

/** Cores that the server's processes used, and the mean utilization of the GPUs, where monitors told. */
function devicePoints(system: string, all: readonly Readings[], endNs: number): Point[] {
  return DEVICES.flatMap(({ panel, subjects, metric, total }) => {
    const perRepeat = all.map((readings) => {
      const found = readings.find({ metric }).filter(({ subject }) => subjects.test(subject));
      const sums = binned(
        found.map((series) => course(readings, series)),
        endNs,
      );
      return sums.map((sum) => (total ? sum : sum / found.length));
    });
    return Array.from({ length: BINS }, (_, bin): Point[] => {
      const merged = mergeValues(perRepeat.map((bins) => bins[bin]!).filter(Number.isFinite));
      const t = rounded(((bin + 0.5) * endNs) / BINS / 1e9);
      if (!merged) return [];
      return [{ panel, system, t, value: rounded(merged.value), low: rounded(merged.low), high: rounded(merged.high) }];
    }).flat();
  });
}

const DEVICES: readonly { panel: PanelName; subjects: RegExp; metric: string; total: boolean }[] = [
  { panel: 'replicas', subjects: /^primary$/, metric: 'replicas', total: true },
  { panel: 'cpu', subjects: /^(server|workers)/, metric: 'cpu', total: true },
  { panel: 'gpu', subjects: /^gpu/, metric: 'utilization', total: false },
];

/** The sum over the courses of their means in each bin; NaN where nobody read anything. */
function binned(courses: readonly ReturnType<typeof course>[], endNs: number): number[] {
  const sums = new Array<number>(BINS).fill(Number.NaN);
  for (const points of courses) {
    const [total, count] = [new Float64Array(BINS), new Float64Array(BINS)];
    for (const { atNs, value } of points) {
      const bin = Math.floor((atNs * BINS) / endNs);
      if (value === null || bin < 0 || bin >= BINS) continue;
      total[bin]! += value;
      count[bin]! += 1;
    }
    for (let bin = 0; bin < BINS; bin++)
      if (count[bin]! > 0) sums[bin] = (Number.isNaN(sums[bin]!) ? 0 : sums[bin]!) + total[bin]! / count[bin]!;
  }
  return sums;
}

/** The bin's middle; panels without a number there are left out. */
function binPoints(system: string, series: readonly TimeSeries[], bin: number): Point[] {
  const t = rounded(((bin + 0.5) * series[0]!.binNs) / 1e9);
  const overRepeats = (panel: PanelName, pick: (each: TimeSeries) => number): Point[] => {
    const merged = mergeValues(series.map(pick).filter(Number.isFinite));
    if (!merged) return [];
    return [{ panel, system, t, value: rounded(merged.value), low: rounded(merged.low), high: rounded(merged.high) }];
  };
  const latency = (['p50', 'p5', 'p95'] as const).map((name) =>
    mergeValues(series.map(({ latencyNs }) => latencyNs[name][bin]!).filter(Number.isFinite)),
  );
  const [value, low, high] = latency.map((merged) => (merged ? rounded(merged.value / 1e6) : undefined));
  return [
    ...overRepeats('rate', (each) => each.ratePerSecond[bin]!),
    ...(value === undefined ? [] : [{ panel: 'latency' as const, system, t, value, low: low!, high: high! }]),
    ...overRepeats('outstanding', (each) => each.outstanding[bin]!),
    ...overRepeats('batch', (each) => each.meanBatch[bin]!),
  ];
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
