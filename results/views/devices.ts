import type { MonitorReport, ReadingSummary, TrialSummary } from '../summary.js';
import { formatDuration, formatSize, significant } from '../units.js';
import type { Block, Cell, ViewDefinition } from './contract.js';
import { merge } from './support/figures.js';
import { comparedGroups, type Group } from './support/groups.js';
import { manyTransports, placeText } from './support/text.js';

/** What devices, event loops and the kernel told while it ran, and what held the processors or devices back. */
export const devices: ViewDefinition = {
  name: 'devices',
  summary: 'Devices and processes while it ran: event loops, GPU, energy, throttling, and what the monitors cost',
  render({ run }) {
    const groups = comparedGroups(run).filter(({ summaries }) => summaries.some(({ readings }) => readings));
    if (groups.length === 0) return undefined;
    return [
      { kind: 'heading', text: 'Devices and processes' },
      ...figureTable(groups),
      ...warnings(groups),
      {
        kind: 'text',
        text: costText(groups.flatMap(({ summaries }) => summaries.flatMap(({ monitors = [] }) => monitors))),
      },
    ];
  },
};

interface Figure {
  readonly title: string;
  readonly pick: (summary: TrialSummary) => number | null;
  readonly format: (value: number) => string;
}

const percent = (value: number): string => `${significant(value)} %`;

/** Only those that somebody told become columns. Of several devices: the busiest, the hottest; energy and power are sums. */
const FIGURES: readonly Figure[] = [
  { title: 'server loop busy', pick: read('server', 'eventLoopUtilization', 'mean', most), format: percent },
  { title: 'server loop late, most', pick: read('server', 'eventLoopDelayMax', 'max', most), format: formatDuration },
  { title: 'load loop busy', pick: read('load', 'eventLoopUtilization', 'mean', most), format: percent },
  { title: 'load loop late, most', pick: read('load', 'eventLoopDelayMax', 'max', most), format: formatDuration },
  { title: 'switches per answer', pick: switches, format: significant },
  { title: 'steal', pick: read('host', 'cpuSteal', 'mean', (values) => 100 * sum(values)), format: percent },
  { title: 'GPU busy', pick: read('gpu', 'utilization', 'mean', most), format: percent },
  { title: 'GPU memory, most', pick: read('gpu', 'memoryUsed', 'max', sum), format: formatSize },
  { title: 'GPU power', pick: read('gpu', 'power', 'mean', sum), format: (watts) => `${significant(watts)} W` },
  {
    title: 'GPU, hottest',
    pick: read('gpu', 'temperature', 'max', most),
    format: (degrees) => `${significant(degrees)} °C`,
  },
  { title: 'energy per answer', pick: energy, format: energyText },
];

function figureTable(groups: readonly Group[]): Block[] {
  const several = manyTransports(groups);
  const told = FIGURES.filter((figure) => groups.some((group) => merge(group, figure)));
  if (told.length === 0) return [];
  return [
    {
      kind: 'table',
      caption: 'Read while it ran: median over repeats',
      columns: [
        { title: 'system', align: 'left' },
        { title: 'load', align: 'left' },
        ...told.map(({ title }) => ({ title, align: 'right' }) as const),
      ],
      rows: groups.map((group): Cell[] => [
        group.system,
        placeText(group, several),
        ...told.map((figure): Cell => {
          const merged = merge(group, figure);
          return merged
            ? { text: figure.format(merged.value), trials: group.summaries.map((summary) => summary.trial.id) }
            : { text: '–', mark: 'dim' };
        }),
      ]),
    },
  ];
}

/** What a reader must know before believing a latency, one line a cause and system; energy that is absent says why. */
function warnings(groups: readonly Group[]): Block[] {
  const items = groups.flatMap((group) => {
    const readings = group.summaries.flatMap((summary) => summary.readings ?? []);
    const place = `${group.system}, ${placeText(group, manyTransports(groups))}`;
    const quota = largest(readings, 'cgroup', 'throttled', 'mean');
    const steal = largest(readings, 'host', 'cpuSteal', 'mean');
    const why = new Set(
      group.summaries.flatMap((summary) => (summary.energy ?? []).flatMap(({ reason }) => reason ?? [])),
    );
    return [
      ...(quota > 0.001
        ? [
            `${place}: the control group's CPU quota held the processes back for ${percent(100 * quota)} of the time. Raise the quota, or lower the load.`,
          ]
        : []),
      ...(steal > 0.01
        ? [`${place}: a hypervisor took ${significant(steal)} of a processor. Repeat on a quieter machine.`]
        : []),
      ...HELD_BACK.flatMap(([metric, cause]) => {
        const share = largest(readings, 'gpu', metric, 'mean');
        return share > 0
          ? [`${place}: a GPU's clocks were lowered ${cause} in ${percent(share)} of the readings.`]
          : [];
      }),
      ...[...why].map((reason) => `${place}: no energy per answer: ${reason}.`),
    ];
  });
  return items.length === 0 ? [] : [{ kind: 'list', items }];
}

const HELD_BACK = [
  ['throttledByPower', 'by its power limit'],
  ['throttledByHeat', 'by its temperature'],
  ['throttledByHardware', 'by a hardware slowdown'],
] as const;

/** `The monitors took 0.6 % of a core (read every 100 ms; proc 0.4 %, …). Not read: nvml (…).` */
function costText(reports: readonly MonitorReport[]): string {
  const names = [...new Set(reports.map(({ name }) => name))];
  const shares = names.flatMap((name) => {
    const ran = reports.filter(
      (report) => report.name === name && report.state !== 'absent' && report.cpuSeconds !== null,
    );
    const elapsed = sum(ran.map(({ elapsedSeconds }) => elapsedSeconds));
    return elapsed > 0 ? [{ name, share: (100 * sum(ran.map(({ cpuSeconds }) => cpuSeconds!))) / elapsed }] : [];
  });
  const absent = new Map(
    reports.flatMap(({ name, state, reason }) => (state === 'ran' ? [] : [[name, `${state}: ${reason}`] as const])),
  );
  const parts = shares.map(({ name, share }) => `${name} ${percent(share)}`).join(', ');
  const not = [...absent].map(([name, reason]) => `${name} (${reason})`).join('; ');
  const period = reports[0] === undefined ? '' : `read every ${reports[0].periodMs} ms: `;
  return `The monitors took ${percent(sum(shares.map(({ share }) => share)))} of a core (${period}${parts}).${not && ` Not read: ${not}.`}`;
}

/** The readings of subjects that begin so (`gpu0`, `gpu1`; `load`, `load2`), without the parts of divided devices. */
function matching(readings: readonly ReadingSummary[], subject: string, metric: string): ReadingSummary[] {
  return readings.filter((each) => each.metric === metric && new RegExp(`^${subject}\\d*$`).test(each.subject));
}

function read(subject: string, metric: string, of: 'mean' | 'max', join: (values: readonly number[]) => number) {
  return ({ readings = [] }: TrialSummary): number | null => {
    const values = matching(readings, subject, metric).flatMap((each) => each[of] ?? []);
    return values.length > 0 ? join(values) : null;
  };
}

function largest(readings: readonly ReadingSummary[], subject: string, metric: string, of: 'mean' | 'max'): number {
  return Math.max(0, ...matching(readings, subject, metric).flatMap((each) => each[of] ?? []));
}

function switches({ processes, counts: { ok } }: TrialSummary): number | null {
  const told = processes.filter(({ role }) => role !== 'load').flatMap(({ contextSwitches }) => contextSwitches ?? []);
  if (told.length === 0 || ok === 0) return null;
  return sum(told.map(({ voluntary, involuntary }) => voluntary + involuntary)) / ok;
}

/** Of all devices together; null where one of them does not tell. */
function energy({ energy: devices = [] }: TrialSummary): number | null {
  const known = devices.filter(({ subject }) => !subject.includes('.')).map(({ joulesPerRequest }) => joulesPerRequest);
  return known.length === 0 || known.includes(null) ? null : sum(known as number[]);
}

function energyText(joules: number): string {
  return Math.abs(joules) < 1 ? `${significant(joules * 1e3)} mJ` : `${significant(joules)} J`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function most(values: readonly number[]): number {
  return Math.max(...values);
}
