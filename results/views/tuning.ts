import { readTuning, type TuningRecord, type TuningStep } from '../tuning.js';
import { formatDuration, formatRate, significant } from '../units.js';
import type { Block, Cell, ViewDefinition } from './contract.js';
import { CHART_HEIGHT, CHART_WIDTH, chart, logAxis } from './support/charts.js';
import { FAINT, OTHER_COLOUR, SYSTEM_COLOURS } from './support/palette.js';

/** Of a run that searched: what it found, at which cost, the way it took, the surface and the front. */
export const tuning: ViewDefinition = {
  name: 'tuning',
  summary: 'The search for a configuration: the best found, the path, the response surface, the front, the cost',
  render({ run }) {
    const record = readTuning(run.folder);
    if (!record || record.steps.length === 0) return undefined;
    return [
      { kind: 'heading', text: 'The search' },
      { kind: 'text', text: answer(record) },
      ...(record.verdict ? [{ kind: 'text', text: `**${record.verdict.text}**` } as const] : []),
      ...(record.confirmed.length > 0
        ? [
            { kind: 'text', text: 'Tuned against the author’s configuration, paired and interleaved:' } as const,
            { kind: 'list', items: record.confirmed } as const,
          ]
        : []),
      bestTable(record),
      ...pathChart(record),
      ...surfaceChart(record),
      ...frontChart(record),
      { kind: 'text', text: costOf(record) },
    ];
  },
};

function answer(record: TuningRecord): string {
  const { search, points, possible, steps, front, mode, constraints } = record;
  const [goal] = record.objectives;
  const within = constraints.length > 0 ? ` within ${constraints.join(', ')}` : '';
  const looked = `**${search}** looked at ${steps.filter(({ phase }) => phase === (mode === 'real' ? 'real' : 'simulated')).length} of ${points.toLocaleString('en-US')} configurations${possible < points ? ` (${possible} can be served)` : ''}`;
  const best = front[0] === undefined ? undefined : steps[front[0]];
  if (!best) return `${looked}; none keeps ${constraints.join(', ')}. The nearest are in the table.`;
  const seen = best.phase === 'real' ? 'served for real' : 'simulated only: nothing of it was measured';
  return `${looked} for ${goal!.direction} ${goal!.name}${within}. Best: **${shortName(best, record)}** with ${figuresText(best)} (${seen}).`;
}

function shortName(step: TuningStep, { system }: TuningRecord): string {
  return step.system.startsWith(`${system} `) ? step.system.slice(system.length + 1) : step.system;
}

function figuresText({ figures }: TuningStep): string {
  const { throughputPerSecond, p99LatencyNs } = figures;
  return [
    throughputPerSecond === null ? 'no throughput' : formatRate(throughputPerSecond),
    p99LatencyNs === null ? 'no p99' : `p99 ${formatDuration(p99LatencyNs)}`,
  ].join(', ');
}

const BEST = SYSTEM_COLOURS[0]!.light;

const SHOWN = 12;

/** The author's configuration, then the best of each phase; simulated beside real where both exist. */
function bestTable(record: TuningRecord): Block {
  const order = (a: TuningStep, b: TuningStep) => score(b) - score(a);
  const real = record.steps.filter(({ phase }) => phase === 'real').sort(order);
  const simulated = record.steps.filter(({ phase }) => phase === 'simulated').sort(order);
  const rows = [...real, ...simulated.slice(0, Math.max(0, SHOWN - real.length))].slice(0, SHOWN + 4);
  const front = new Set(record.front.map((number) => record.steps[number]));
  return withoutEmpty({
    kind: 'table',
    caption: 'the best configurations; “front”: nothing that was found beats it in every objective',
    columns: [
      { title: 'configuration', align: 'left' },
      { title: 'found', align: 'left' },
      { title: 'throughput', align: 'right' },
      { title: 'p50', align: 'right' },
      { title: 'p99', align: 'right' },
      { title: 'mean batch', align: 'right' },
      { title: 'cores', align: 'right' },
      { title: 'CPU a request', align: 'right' },
      { title: 'accuracy', align: 'right' },
      { title: '', align: 'left' },
    ],
    rows: [
      ...(record.author
        ? [
            cells(
              'the author’s',
              record.author.trial ? 'real' : 'simulated',
              record.author.figures,
              record.author.trial,
              '',
            ),
          ]
        : []),
      ...rows.map((step) =>
        cells(shortName(step, record), step.phase, step.figures, step.trial, noteOf(step, front.has(step))),
      ),
    ],
  });
}

/** Columns in which nothing is known take room from the others. */
function withoutEmpty(table: Extract<Block, { kind: 'table' }>): Block {
  const told = (cell: Cell | undefined) => (typeof cell === 'object' ? cell.text : cell) !== '–';
  const kept = table.columns.map((_, i) => table.rows.some((row) => told(row[i])));
  return {
    ...table,
    columns: table.columns.filter((_, i) => kept[i]),
    rows: table.rows.map((row) => row.filter((_, i) => kept[i])),
  };
}

function cells(
  name: string,
  phase: string,
  figures: TuningStep['figures'],
  trial: string | undefined,
  note: Cell,
): Cell[] {
  const trials = trial ? [trial] : undefined;
  const cell = (value: number | null, format: (value: number) => string): Cell => ({
    text: value === null ? '–' : format(value),
    trials,
  });
  return [
    name,
    phase,
    cell(figures.throughputPerSecond, formatRate),
    cell(figures.p50LatencyNs, formatDuration),
    cell(figures.p99LatencyNs, formatDuration),
    cell(figures.meanBatch, significant),
    String(figures.cores),
    cell(figures.cpuSecondsPerRequest, (seconds) => formatDuration(seconds * 1e9)),
    cell(figures.accuracy, (share) => `${(share * 100).toFixed(2)} %`),
    note,
  ];
}

function noteOf({ evaluation }: TuningStep, inFront: boolean): Cell {
  if (evaluation.state === 'failed') return { text: evaluation.reason, mark: 'dim' };
  if (evaluation.excess.some((excess) => excess > 0)) return { text: 'breaks a bound', mark: 'bad' };
  return inFront ? { text: 'front', mark: 'good' } : '';
}

/** Feasible ones by the first objective, above all others; those by how little they break. */
function score({ evaluation }: TuningStep): number {
  if (evaluation.state === 'failed') return Number.NEGATIVE_INFINITY;
  const broken = evaluation.excess.reduce((sum, excess) => sum + Math.max(0, excess), 0);
  return broken > 0 ? -broken : evaluation.objectives[0]!;
}

/** The first objective in its own unit: searches see durations as rates. */
function objectiveOf({ evaluation }: TuningStep, { objectives }: TuningRecord): number | undefined {
  if (evaluation.state === 'failed') return undefined;
  const value = evaluation.objectives[0]!;
  const own = objectives[0]!.direction === 'max' ? value : 1 / value;
  return objectives[0]!.unit === 'ns' ? own / 1e6 : own;
}

function axisTitle({ objectives }: TuningRecord): string {
  const { name, unit } = objectives[0]!;
  return `${name}${unit === 'ns' ? ' (ms)' : unit ? ` (${unit})` : ''}`;
}

function pathChart(record: TuningRecord): Block[] {
  const phases = ['simulated', 'real'].filter(
    (phase) => record.steps.filter((step) => step.phase === phase).length > 2,
  );
  return phases.map((phase): Block => {
    const better = record.objectives[0]!.direction === 'max' ? Math.max : Math.min;
    let best: number | undefined;
    const values = record.steps
      .filter((step) => step.phase === phase)
      .flatMap((step, number) => {
        const value = objectiveOf(step, record);
        const kept = step.evaluation.state === 'measured' && step.evaluation.excess.every((excess) => excess <= 0);
        if (kept && value !== undefined) best = best === undefined ? value : better(best, value);
        return value === undefined ? [] : [{ number: number + 1, value, best, kept: kept ? 'kept' : 'broken' }];
      });
    const x = {
      field: 'number',
      type: 'quantitative' as const,
      title: 'configuration looked at',
      axis: { tickMinStep: 1 },
    };
    return {
      kind: 'chart',
      name: `tuning.path.${phase}`,
      caption: `The path (${phase}): each configuration in order, and the best so far that keeps the bounds.`,
      spec: chart({
        width: CHART_WIDTH,
        height: CHART_HEIGHT,
        data: { values },
        layer: [
          {
            mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2, color: BEST },
            encoding: { x, y: { field: 'best', type: 'quantitative', title: axisTitle(record) } },
          },
          {
            mark: { type: 'point', filled: true, size: 36, opacity: 0.9 },
            encoding: {
              x,
              y: { field: 'value', type: 'quantitative' },
              color: {
                field: 'kept',
                type: 'nominal',
                title: 'bounds',
                scale: { domain: ['kept', 'broken'], range: [BEST, OTHER_COLOUR.light] },
                legend: { orient: 'bottom' },
              },
            },
          },
        ],
      }),
    };
  });
}

/** The best value over everything else, for the two dimensions with most values. */
function surfaceChart(record: TuningRecord): Block[] {
  const ordered = record.dimensions
    .map((dimension, index) => ({ ...dimension, index }))
    .filter(({ values }) => values.length > 1)
    .sort((a, b) => Number(b.ordered) - Number(a.ordered) || b.values.length - a.values.length);
  const [across, up] = ordered;
  if (!across || !up) return [];
  const phase = record.mode === 'real' ? 'real' : 'simulated';
  const better = record.objectives[0]!.direction === 'max' ? Math.max : Math.min;
  const found = new Map<string, { x: string; y: string; value: number }>();
  for (const step of record.steps.filter((each) => each.phase === phase)) {
    const value = objectiveOf(step, record);
    if (value === undefined) continue;
    const [x, y] = [across.values[step.point[across.index]!]!, up.values[step.point[up.index]!]!];
    const before = found.get(`${x}\n${y}`);
    found.set(`${x}\n${y}`, { x, y, value: before ? better(before.value, value) : value });
  }
  if (found.size < 4) return [];
  return [
    {
      kind: 'chart',
      name: 'tuning.surface',
      caption: `The response surface (${phase}): best ${record.objectives[0]!.name} over all other dimensions; blank where nothing was looked at.`,
      spec: chart({
        width: CHART_WIDTH,
        height: CHART_HEIGHT,
        data: { values: [...found.values()] },
        mark: { type: 'rect' },
        encoding: {
          x: { field: 'x', type: 'ordinal', title: across.name, sort: [...across.values], axis: { labelAngle: 0 } },
          y: { field: 'y', type: 'ordinal', title: up.name, sort: [...up.values].reverse() },
          color: { value: BEST },
          // Shades of one colour of the palette: it has a twin for dark grounds, a scale of colours would not.
          fillOpacity: {
            field: 'value',
            type: 'quantitative',
            title: axisTitle(record),
            scale: { range: [0.12, 1], zero: false },
            legend: { orient: 'bottom' },
          },
        },
      }),
    },
  ];
}

/** Throughput against tail latency of everything that was found; the front in colour. */
function frontChart(record: TuningRecord): Block[] {
  const front = new Set(record.front.map((number) => record.steps[number]));
  const phase = record.steps.some((step) => step.phase === 'real') && record.mode === 'real' ? 'real' : 'simulated';
  const values = record.steps.flatMap((step) => {
    const { throughputPerSecond: x, p99LatencyNs: y } = step.figures;
    if (x === null || y === null || (step.phase !== phase && !front.has(step))) return [];
    return [{ x, y: y / 1e6, what: `${front.has(step) ? 'front' : 'other'}, ${step.phase}` }];
  });
  if (values.length < 3) return [];
  const heights = values.map(({ y }) => y);
  return [
    {
      kind: 'chart',
      name: 'tuning.front',
      caption: 'Tail latency against throughput of every configuration looked at. Right and low is better.',
      spec: chart({
        width: CHART_WIDTH,
        height: CHART_HEIGHT,
        data: { values },
        mark: { type: 'point', filled: true, size: 40, opacity: 0.85 },
        encoding: {
          x: { field: 'x', type: 'quantitative', title: 'throughput (answers/s)' },
          y: {
            field: 'y',
            type: 'quantitative',
            title: 'p99 (ms)',
            scale: { type: 'log', nice: false },
            axis: logAxis([Math.min(...heights), Math.max(...heights)]),
          },
          color: {
            field: 'what',
            type: 'nominal',
            title: null,
            scale: {
              domain: ['front, real', 'front, simulated', 'other, real', 'other, simulated'],
              range: [SYSTEM_COLOURS[2]!.light, BEST, FAINT.light, OTHER_COLOUR.light],
            },
            legend: { orient: 'bottom', columns: 2 },
          },
        },
      }),
    },
  ];
}

function costOf({ seconds, steps }: TuningRecord): string {
  const total = Object.values(seconds).reduce((sum, value) => sum + value, 0);
  const count = (phase: string) => steps.filter((step) => step.phase === phase).length;
  return `The search cost ${significant(total)} s: cost tables ${significant(seconds.profile)} s, ${count('simulated')} simulated configurations ${significant(seconds.simulated)} s, ${count('real')} served for real ${significant(seconds.real)} s, the comparison at the end ${significant(seconds.confirm)} s.`;
}
