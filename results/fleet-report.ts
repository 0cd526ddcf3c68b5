import type { FleetRecord, FleetRun } from './fleet.js';
import { formatNamed, type RenderOptions, type Report } from './formats/index.js';
import { formatDuration, significant } from './units.js';
import type { Block, Cell } from './views/index.js';
import { CHART_HEIGHT, CHART_WIDTH, chart, logAxis } from './views/support/charts.js';
import { SYSTEM_COLOURS } from './views/support/palette.js';

/** The fleet's page as files: `report.html`, `report.md` and its figures. */
export async function writeFleetReport(
  record: FleetRecord,
): Promise<readonly { readonly path: string; readonly content: string | Uint8Array }[]> {
  const files: { readonly path: string; readonly content: string | Uint8Array }[] = [];
  for (const name of ['html', 'markdown']) {
    const { text, files: figures } = await formatNamed(name).render(reportOf(record), {});
    files.push({ path: `report.${formatNamed(name).extension}`, content: text }, ...figures);
  }
  return files;
}

/** The same for a terminal. */
export async function fleetText(record: FleetRecord, options: RenderOptions): Promise<string> {
  return (await formatNamed('terminal').render(reportOf(record), options)).text;
}

function reportOf(record: FleetRecord): Report {
  const { question, strategy, arrivals, durationNs, replicas } = record;
  return {
    title: question,
    facts: [
      `fleet ${record.file}`,
      `${strategy} on every replica`,
      arrivals,
      `${formatDuration(durationNs)} simulated`,
      `start-up ${formatDuration(replicas.startUpNs)}`,
    ],
    notices: ['Simulated: virtual time over a cost table. Nothing here was measured.'],
    sections: [{ name: 'fleet', blocks: blocksOf(record) }],
  };
}

function blocksOf(record: FleetRecord): Block[] {
  const events = record.runs.reduce((sum, run) => sum + run.events, 0);
  const cpu = record.runs.reduce((sum, run) => sum + run.cpuSeconds, 0);
  return [
    { kind: 'heading', text: 'Fleets' },
    { kind: 'text', text: answer(record) },
    tableOf(record),
    ...timelines(record),
    {
      kind: 'text',
      text: `${events.toLocaleString('en-US')} events in ${significant(cpu)} s of CPU time (${significant(events / Math.max(cpu, 1e-9) / 1e6)} M events/s). ${record.simulator}`,
    },
  ];
}

/** Attainment first, then cost: the cheapest of those within a tenth of a per cent of the best. */
function answer({ runs, objectiveNs }: FleetRecord): string {
  const best = Math.max(...runs.map(attainment));
  const [cheapest] = runs
    .filter((run) => attainment(run) >= best - 0.001)
    .sort((a, b) => a.replicaSeconds - b.replicaSeconds);
  const within = `answered within ${formatDuration(objectiveNs)}`;
  if (runs.length === 1)
    return `${percent(attainment(runs[0]!))} of the requests were ${within}, at ${hours(runs[0]!)}.`;
  return `Best attainment: **${percent(best)}** ${within}; **${cheapest!.name}** reaches it (to 0.1 points) at the least cost, ${hours(cheapest!)}.`;
}

function attainment({ good, offered }: FleetRun): number {
  return offered > 0 ? good / offered : 0;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function hours({ replicaSeconds }: FleetRun): string {
  return `${significant(replicaSeconds / 3600)} replica-hours`;
}

function tableOf({ runs, objectiveNs }: FleetRecord): Block {
  const numbers = [
    'requests',
    'attainment',
    'p50',
    'p99',
    'p99.9',
    'rejected',
    'replica-hours',
    'peak',
    'a replica-hour',
  ];
  const cell = (value: number | null): Cell => (value === null ? '–' : formatDuration(value));
  return {
    kind: 'table',
    caption: `attainment: answers within ${formatDuration(objectiveNs)} of all requests; the last column is good answers a replica-hour`,
    columns: [{ title: 'fleet', align: 'left' }, ...numbers.map((title) => ({ title, align: 'right' }) as const)],
    rows: runs.map((run) => [
      run.autoscaler && run.autoscaler !== run.name ? `${run.name} (${run.autoscaler})` : run.name,
      run.offered.toLocaleString('en-US'),
      percent(attainment(run)),
      cell(run.p50Ns),
      cell(run.p99Ns),
      cell(run.p999Ns),
      run.rejected.toLocaleString('en-US'),
      significant(run.replicaSeconds / 3600),
      String(run.peakReplicas),
      run.replicaSeconds > 0 ? Math.round(run.good / (run.replicaSeconds / 3600)).toLocaleString('en-US') : '–',
    ]),
  };
}

/** Rate, replicas and tail latency on one time axis. */
function timelines({ runs, durationNs }: FleetRecord): Block[] {
  const unit =
    durationNs >= 2 * 3600e9
      ? { ns: 3600e9, name: 'h' }
      : durationNs >= 240e9
        ? { ns: 60e9, name: 'min' }
        : { ns: 1e9, name: 's' };
  const points = runs.flatMap((run) =>
    run.windows.map((window) => ({
      fleet: run.name,
      time: window.startNs / unit.ns,
      rate: (window.offered * 1e9) / Math.max(1, window.endNs - window.startNs),
      ready: window.ready,
      p99: window.p99Ns === null ? null : window.p99Ns / 1e6,
    })),
  );
  const x = { field: 'time', type: 'quantitative' as const, title: `simulated time (${unit.name})` };
  const names = runs.map(({ name }) => name);
  const color = {
    field: 'fleet',
    type: 'nominal' as const,
    title: null,
    scale: { domain: names, range: names.map((_, k) => SYSTEM_COLOURS[k % SYSTEM_COLOURS.length]!.light) },
    legend: { orient: 'bottom' as const, labelLimit: 0 },
  };
  const line = (name: string, field: string, title: string, caption: string, values: object[], log = false): Block => ({
    kind: 'chart',
    name: `fleet.${name}`,
    caption,
    spec: chart({
      width: CHART_WIDTH,
      height: CHART_HEIGHT,
      data: { values },
      mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.5 },
      encoding: {
        x,
        y: {
          field,
          type: 'quantitative',
          title,
          ...(log ? { scale: { type: 'log', nice: false }, axis: logAxis(positive(values, field)) } : {}),
        },
        ...(name === 'rate' ? {} : { color }),
      },
    }),
  });
  const first = points.filter(({ fleet }) => fleet === names[0]);
  const tails = points.filter(({ p99 }) => p99 !== null && p99 > 0);
  return [
    line('rate', 'rate', 'arrivals/s', 'Arrivals a second, the same for every fleet.', first),
    line('replicas', 'ready', 'replicas that take requests', 'Replicas over time.', points),
    ...(tails.length > 2
      ? [line('p99', 'p99', 'p99 (ms)', 'p99 latency of each window; a logarithmic axis.', tails, true)]
      : []),
  ];
}

function positive(values: readonly object[], field: string): number[] {
  return values.map((value) => (value as Record<string, number>)[field]!).filter((value) => value > 0);
}
