import type { ArrivalSide, TrialSummary } from '../summary.js';
import { formatDuration, formatRate } from '../units.js';
import type { Block, Cell, ViewDefinition } from './contract.js';
import { comparedGroups } from './support/groups.js';
import { percentText } from './support/text.js';

/** Were the arrivals the ones that were asked for? Absent where no trial had a schedule, and in runs of older versions. */
export const arrivals: ViewDefinition = {
  name: 'arrivals',
  summary: 'Index of dispersion and gaps of the arrivals: as scheduled, as sent, as the server saw them',
  render({ run }) {
    const summaries = comparedGroups(run).flatMap((group) => (group.simulated ? [] : group.summaries));
    const told = summaries.filter(({ arrivals: told }) => told);
    if (told.length === 0) return undefined;
    const reasons = [...new Set(told.flatMap((summary) => summary.arrivals?.seenReason ?? []))];
    return [
      { kind: 'heading', text: 'The arrivals as delivered' },
      {
        kind: 'text',
        text: `Index of dispersion of counts (variance / mean: Poisson 1, a metronome 0, bursts more) in windows of 10 ms, 100 ms and 1 s, and the Kolmogorov–Smirnov distance of the gaps from the schedule’s. What the server saw is told by durations since its own start.${reasons.length > 0 ? ` Not seen: ${reasons.join('; ')}.` : ''}`,
      },
      table(told),
      ...growing(summaries),
    ];
  },
};

function table(summaries: readonly TrialSummary[]): Block {
  return {
    kind: 'table',
    caption: 'Dispersion in 10 ms / 100 ms / 1 s; gaps off the schedule',
    columns: [
      left('trial'),
      left('asked'),
      right('requests'),
      right('schedule'),
      right('sent'),
      right('server-seen'),
      right('gaps sent'),
      right('gaps seen'),
    ],
    rows: summaries.map(({ trial, schedule, offeredPerSecond, arrivals: told }): Cell[] => {
      const { due, sent, seen } = told!;
      return [
        { text: trial.id, trials: [trial.id] },
        `${schedule.arrivals ?? 'schedule'}${offeredPerSecond === null ? '' : ` ${formatRate(offeredPerSecond)}`}`,
        due.count.toLocaleString('en-US'),
        dispersions(due),
        dispersions(sent),
        seen ? dispersions(seen) : NONE,
        percentText(sent.gapDistance),
        seen ? percentText(seen.gapDistance) : NONE,
      ];
    }),
  };
}

const NONE: Cell = { text: '–', mark: 'dim' };

function dispersions({ dispersion }: ArrivalSide): string {
  const at = (windowNs: number) => dispersion.find((each) => each.windowNs === windowNs)?.index.toFixed(2) ?? '–';
  return [10e6, 100e6, 1e9].map(at).join(' / ');
}

/** Loads that the system could not keep up with. */
function growing(summaries: readonly TrialSummary[]): Block[] {
  const rows = summaries.flatMap(({ trial, backlog }): Cell[][] => {
    if (!backlog?.saturated) return [];
    const { outstandingPerSecond: queue, latencyNsPerSecond: latency, offeredPerSecond, sinceNs } = backlog;
    const { low, high } = queue.interval;
    return [
      [
        { text: trial.id, trials: [trial.id] },
        `${formatRate(queue.perSecond)} (${formatRate(low)} – ${formatRate(high)})`,
        latency ? `${formatDuration(latency.perSecond)} a second` : NONE,
        formatDuration(sinceNs!),
        formatRate(offeredPerSecond - queue.perSecond),
      ],
    ];
  });
  if (rows.length === 0) return [];
  const columns = [
    left('trial'),
    right('queue grows by'),
    right('latency grows by'),
    right('since'),
    right('answered'),
  ];
  return [{ kind: 'table', caption: 'Over-saturated: growth over the last half, 99 % interval', columns, rows }];
}

function left(title: string) {
  return { title, align: 'left' } as const;
}

function right(title: string) {
  return { title, align: 'right' } as const;
}
