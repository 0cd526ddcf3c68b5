import { COMPARED, type ComparedName } from '../compare.js';
import type { Report, Section } from '../formats/contract.js';
import { formatDuration, formatRate } from '../units.js';
import type { Block, Cell } from '../views/contract.js';
import { chart, chartName } from '../views/support/charts.js';
import { INK, OTHER_COLOUR, SYSTEM_COLOURS } from '../views/support/palette.js';
import { pointsOf, type RunPoint, segmentStarts } from './baseline.js';
import type { HistoryCell, HistoryEntry } from './history.js';

const TITLES: Readonly<Record<ComparedName, string>> = {
  throughput: 'Throughput',
  p50Latency: 'p50 latency',
  p99Latency: 'p99 latency',
  cpuPerRequest: 'CPU time of an answer',
};
const FORMATS: Readonly<Record<ComparedName, (value: number) => string>> = {
  throughput: formatRate,
  p50Latency: formatDuration,
  p99Latency: formatDuration,
  cpuPerRequest: (seconds) => formatDuration(seconds * 1e9),
};
/** What charts show: ms, requests a second, µs. */
const SCALES: Readonly<Record<ComparedName, readonly [factor: number, unit: string]>> = {
  throughput: [1, 'requests/s'],
  p50Latency: [1e-6, 'ms'],
  p99Latency: [1e-6, 'ms'],
  cpuPerRequest: [1e6, 'µs'],
};

/** A scenario's history as a report: trend charts and a table of segments for every cell. Pure in its arguments. */
export function historyReport(scenario: string, entries: readonly HistoryEntry[], seed: bigint): Report {
  const cells = cellsOf(entries);
  return {
    title: `History of ${scenario}`,
    facts: [
      `${entries.length} ${entries.length === 1 ? 'run' : 'runs'}`,
      ...(entries.length > 0 ? [`${day(entries[0]!)} to ${day(entries.at(-1)!)}`] : []),
      ...new Set(entries.map(({ machine }) => `${machine.cpu}, ${machine.cores} cores`)),
    ],
    notices: [],
    sections: [summary(cells, entries, seed), ...cells.map((cell) => section(cell, entries, seed)), runs(entries)],
  };
}

/** Segment by segment, what a figure was: the rows that the terminal prints too. */
export function segmentRows(entries: readonly HistoryEntry[], seed: bigint) {
  return cellsOf(entries).flatMap((cell) =>
    COMPARED.flatMap(({ name }) => {
      const points = pointsOf(entries, cell, name);
      if (points.length === 0) return [];
      const starts = segmentStarts(points, seed);
      const levels = starts.map((from, k) => level(points.slice(from, starts[k + 1] ?? points.length)));
      const format = FORMATS[name];
      const last = levels.at(-1)!;
      const before = levels.at(-2);
      return [
        {
          cell,
          figure: name,
          runs: points.length,
          segments: levels.length,
          since: points[starts.at(-1)!]!.entry.at.slice(0, 10),
          level: format(last),
          change: before === undefined ? null : last / before - 1,
        },
      ];
    }),
  );
}

type Place = Pick<HistoryCell, 'system' | 'load' | 'transport'>;

function cellsOf(entries: readonly HistoryEntry[]): Place[] {
  const cells = new Map<string, Place>();
  for (const entry of entries)
    for (const { system, load, transport } of entry.cells)
      cells.set(JSON.stringify([system, load, transport]), { system, load, transport });
  return [...cells.values()];
}

function summary(cells: readonly Place[], entries: readonly HistoryEntry[], seed: bigint): Section {
  const rows = segmentRows(entries, seed).map(({ cell, figure, runs, segments, since, level, change }): Cell[] => [
    placeText(cell),
    TITLES[figure],
    String(runs),
    String(segments),
    since,
    level,
    change === null ? { text: '–', mark: 'dim' } : changeText(change),
  ]);
  const titles = ['figure', 'runs', 'segments', 'since', 'level', 'against the segment before'];
  const text = `A segment ends where its level changes (E-divisive on the runs' medians, permutation test at 5 %) or where a run was accepted as a new level. ${cells.length} ${cells.length === 1 ? 'cell' : 'cells'}; only VALID trials count.`;
  return {
    name: 'levels',
    blocks: [
      { kind: 'heading', text: 'Levels' },
      { kind: 'text', text },
      {
        kind: 'table',
        caption: 'The last segment of every figure',
        columns: [{ title: 'cell', align: 'left' }, ...titles.map((title) => ({ title, align: 'right' }) as const)],
        rows,
      },
    ],
  };
}

function section(cell: Place, entries: readonly HistoryEntry[], seed: bigint): Section {
  const charts = COMPARED.flatMap(({ name }): Block[] => {
    const points = pointsOf(entries, cell, name);
    return points.length === 0 ? [] : [trend(cell, name, points, segmentStarts(points, seed))];
  });
  const name = chartName('cell', cell.system, cell.load, cell.transport);
  return { name, blocks: [{ kind: 'heading', text: placeText(cell) }, ...charts] };
}

/** Trials as dots, a run's median as a diamond, segments as lines, changes as dashed rules. */
function trend(cell: Place, figure: ComparedName, points: readonly RunPoint[], starts: readonly number[]): Block {
  const [factor, unit] = SCALES[figure];
  const trials = points.flatMap(({ trials }, i) =>
    trials.map((trial) => ({ run: i + 1, value: trial.figures[figure]! * factor })),
  );
  const medians = points.map(({ entry, median }, i) => ({
    run: i + 1,
    value: median * factor,
    verdict: entry.verdict === 'regressed' ? 'regressed' : 'run',
  }));
  const levels = starts.map((from, k) => {
    const to = starts[k + 1] ?? points.length;
    return { from: from + 0.6, to: to + 0.4, value: level(points.slice(from, to)) * factor };
  });
  const changes = starts.slice(1).map((at) => ({ run: at + 0.5 }));
  const x = {
    field: 'run',
    type: 'quantitative' as const,
    title: 'run',
    axis: { tickMinStep: 1, format: 'd' },
    scale: { domain: [0.5, points.length + 0.5], nice: false },
  };
  const y = {
    field: 'value',
    type: 'quantitative' as const,
    title: unit,
    scale: { zero: false },
    axis: { tickCount: 5 },
  };
  const verdicts = { domain: ['run', 'regressed'], range: [SYSTEM_COLOURS[0]!.light, SYSTEM_COLOURS[1]!.light] };
  return {
    kind: 'chart',
    name: chartName('trend', cell.system, cell.load, cell.transport, figure),
    caption: `${TITLES[figure]}: trials, medians of runs, segments${
      changes.length > 0
        ? `; changes before run ${starts
            .slice(1)
            .map((at) => at + 1)
            .join(', ')}`
        : ''
    }`,
    spec: chart({
      width: 330,
      height: 160,
      layer: [
        {
          data: { values: levels },
          mark: { type: 'rule', size: 2, color: INK.light },
          encoding: {
            x: { field: 'from', type: 'quantitative', title: 'run' },
            x2: { field: 'to' },
            y: { field: 'value', type: 'quantitative', title: unit, scale: { zero: false } },
          },
        },
        {
          data: { values: changes },
          mark: { type: 'rule', strokeDash: [4, 3], color: OTHER_COLOUR.light },
          encoding: { x: { field: 'run', type: 'quantitative', title: 'run' } },
        },
        { data: { values: trials }, mark: { type: 'point', size: 10, color: OTHER_COLOUR.light }, encoding: { x, y } },
        {
          data: { values: medians },
          mark: { type: 'point', shape: 'diamond', filled: true, size: 45 },
          encoding: {
            x,
            y,
            color: { field: 'verdict', type: 'nominal', scale: verdicts, legend: null },
          },
        },
      ],
    }),
  };
}

function runs(entries: readonly HistoryEntry[]): Section {
  const titles = ['run', 'when', 'commit', 'model', 'verdict', 'folder'];
  return {
    name: 'runs',
    blocks: [
      { kind: 'heading', text: 'Runs' },
      {
        kind: 'table',
        caption: 'Every run of the history',
        columns: titles.map((title, i) => ({ title, align: i === 0 ? 'right' : 'left' }) as const),
        rows: entries.map((entry, i): Cell[] => [
          String(i + 1),
          entry.at.slice(0, 16).replace('T', ' '),
          entry.commit?.slice(0, 8) ?? entry.version,
          entry.modelSha256?.slice(0, 8) ?? '–',
          entry.verdict === 'regressed' ? { text: entry.verdict, mark: 'bad' } : entry.verdict,
          entry.runFolder,
        ]),
      },
    ],
  };
}

/** The median of the runs' medians. */
function level(points: readonly RunPoint[]): number {
  const sorted = points.map(({ median }) => median).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function changeText(change: number): string {
  return `${change < 0 ? '−' : '+'}${Math.abs(100 * change).toFixed(1)} %`;
}

export function placeText({ system, load, transport }: Place): string {
  return `${system} · ${load} · ${transport}`;
}

function day(entry: HistoryEntry): string {
  return entry.at.slice(0, 10);
}
