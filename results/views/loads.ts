import { formatRate } from '../units.js';
import type { Block, Cell, ViewDefinition } from './contract.js';
import { merge, throughput } from './support/figures.js';
import { groupBy } from './support/group-by.js';
import { comparedGroups, type Group, groupsOfType } from './support/groups.js';
import { traced } from './support/text.js';

/** What was offered: the loads, their rates, their schedules' hashes, and the capacity that relative rates refer to. */
export const loads: ViewDefinition = {
  name: 'loads',
  summary: 'The loads as they were offered, with schedule hashes; measured capacities',
  render({ run }) {
    const groups = comparedGroups(run);
    if (groups.length === 0) return undefined;
    const summaryOf = new Map(run.plan.loads.map(({ name, summary }) => [name, summary]));
    return [
      { kind: 'heading', text: 'What was compared' },
      {
        kind: 'table',
        caption: 'Systems',
        columns: [left('system'), left('what it is')],
        rows: systems(run.plan.systems),
      },
      {
        kind: 'table',
        caption: `Loads; ${sameSchedules(groups) ? 'every system got the same schedules' : '⚠ the systems did not all get the same schedules'}`,
        columns: [left('load'), left('what it is'), left('transport'), right('offered'), left('schedules (sha256)')],
        rows: [...groupBy(groups, (group) => JSON.stringify([group.load, group.transport])).values()].map((list) =>
          loadRow(list, summaryOf.get(list[0]!.load) ?? list[0]!.loadType),
        ),
      },
      ...capacities(groupsOfType(run, 'probe')),
    ];
  },
};

/** One hash for each load, transport and repeat. */
function sameSchedules(groups: readonly Group[]): boolean {
  const measured = groups.flatMap((group) => (group.simulated ? [] : group.summaries));
  const byTrial = groupBy(measured, ({ trial }) => JSON.stringify([trial.load, trial.transport, trial.repeat]));
  return [...byTrial.values()].every((list) => new Set(list.map(({ schedule }) => schedule.sha256)).size === 1);
}

function systems(list: readonly { readonly name: string; readonly summary: string }[]): Cell[][] {
  return list.map(({ name, summary }) => [name, summary]);
}

function loadRow(groups: readonly Group[], summary: string): Cell[] {
  const { load, loadType, transport } = groups[0]!;
  const offered = groups.map((group) => merge(group, { pick: (each) => each.offeredPerSecond })).find((each) => each);
  const hashes = new Set(groups.flatMap((group) => group.summaries.map((each) => each.schedule.sha256.slice(0, 8))));
  const rated = loadType === 'server' || loadType === 'open';
  return [
    load,
    summary,
    transport,
    traced(rated && offered ? formatRate(offered.value) : { text: '–', mark: 'dim' }, ...groups),
    [...hashes].map((hash) => `\`${hash}\``).join(' '),
  ];
}

function capacities(probes: readonly Group[]): Block[] {
  const rows = probes.flatMap((group): Cell[][] => {
    const rate = merge(group, throughput);
    return rate ? [[group.system, group.transport, traced(formatRate(rate.value), group)]] : [];
  });
  if (rows.length === 0) return [];
  const columns = [left('system'), left('transport'), right('capacity')];
  return [{ kind: 'table', caption: 'Measured capacity, to which relative rates refer', columns, rows }];
}

function left(title: string) {
  return { title, align: 'left' } as const;
}

function right(title: string) {
  return { title, align: 'right' } as const;
}
