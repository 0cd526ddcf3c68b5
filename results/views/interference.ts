import { type Interference, interferenceOf, sharesOf } from '../interference.js';
import type { StoredRun } from '../run.js';
import { formatDuration, formatRate, significant } from '../units.js';
import type { Block, Cell, ViewDefinition } from './contract.js';
import { groupBy } from './support/group-by.js';
import { comparedGroups, type Group } from './support/groups.js';
import { manyTransports, rowLabel } from './support/text.js';

/** How much tenants slow each other down. Absent where they were not also run alone. */
export const interference: ViewDefinition = {
  name: 'interference',
  summary: 'Tenants alone against together: slow-down by pair, fairness (Jain), what real-time clients pay',
  render({ run }) {
    const groups = comparedGroups(run);
    const transports = manyTransports(groups);
    const bySystem = [...groupBy(groups, ({ system, transport }) => JSON.stringify([system, transport])).values()];
    const found = bySystem.flatMap((own) => {
      const loads = own
        .filter(({ summaries }) => summaries.some(({ tenants }) => tenants))
        .map(({ load, summaries }) => ({ load, tenants: sharesOf(summaries) }));
      const told = interferenceOf(loads);
      return told ? [{ label: rowLabel(own[0]!, transports), group: own[0]!, told }] : [];
    });
    if (found.length === 0) return undefined;
    const classes = classesOf(run);
    return [
      { kind: 'heading', text: 'Interference' },
      {
        kind: 'text',
        text: 'Slow-down: a tenant’s mean latency beside others over its mean latency alone under the same system. Fairness is Jain’s index over 1 / slow-down: 1 where all suffer alike, 1/n where one keeps everything.',
      },
      fairness(found, classes),
      ...found.map(({ label, told }) => matrix(label, told)),
    ];
  },
};

interface Found {
  readonly label: string;
  readonly group: Group;
  readonly told: Interference;
}

/** Source of the columns about real-time clients and the overall rate: DISB's three metrics. */
function fairness(found: readonly Found[], classes: ReadonlyMap<string, string>): Block {
  const realTime = found[0]!.told.tenants.filter((name) => classes.get(name) === 'rt');
  const withClasses = realTime.length > 0;
  const columns = [
    ...['system', 'together', 'fairness'],
    ...(withClasses ? ['real-time latency', 'beyond alone'] : []),
    'overall rate',
  ];
  return {
    kind: 'table',
    caption: 'All together',
    columns: columns.map((title, i) => ({ title, align: i < 2 ? 'left' : 'right' })),
    rows: found.map(({ label, told }): Cell[] => {
      const { tenants } = told.all;
      const meanOf = (shares: ReadonlyMap<string, { readonly meanNs: number }>) =>
        realTime.reduce((sum, name) => sum + (shares.get(name)?.meanNs ?? 0), 0) / realTime.length;
      const together = meanOf(tenants);
      const more = together - meanOf(told.alone);
      const overall = [...tenants.values()].reduce((sum, { okPerSecond }) => sum + okPerSecond, 0);
      return [
        label,
        told.all.load,
        told.fairness.toFixed(3),
        ...(withClasses ? [formatDuration(together), `${more < 0 ? '−' : '+'}${formatDuration(Math.abs(more))}`] : []),
        formatRate(overall),
      ];
    }),
  };
}

/** Rows suffer, columns are beside them. Of two tenants the only pair is all of them. */
function matrix(label: string, told: Interference): Block {
  const { tenants } = told;
  const pairs = tenants.some((tenant) => tenants.some((other) => told.pair(tenant, other) !== undefined));
  const others = pairs && tenants.length > 2 ? tenants : [];
  const titles = ['tenant', 'alone', ...others.map((other) => `beside ${other}`), 'beside all', 'rate kept'];
  return {
    kind: 'table',
    caption: `Slow-down under ${label}`,
    columns: titles.map((title, i) => ({ title, align: i === 0 ? 'left' : 'right' })),
    rows: tenants.map((tenant): Cell[] => {
      const alone = told.alone.get(tenant)!;
      const kept = told.all.tenants.get(tenant)!.okPerSecond / alone.okPerSecond;
      return [
        tenant,
        formatDuration(alone.meanNs),
        ...others.map((other) => factor(other === tenant ? undefined : told.pair(tenant, other))),
        factor(told.slowDowns.get(tenant)),
        Number.isFinite(kept) ? `${Math.round(100 * kept)} %` : NONE,
      ];
    }),
  };
}

function factor(value: number | undefined): Cell {
  if (value === undefined) return NONE;
  return { text: `${significant(value)}×`, ...(value >= 2 ? { mark: 'bad' as const } : {}) };
}

const NONE = { text: '–', mark: 'dim' } as const;

/** Tenant → its scheduling class, as the plan's loads say; the details of a plan are not this folder's, hence the care. */
function classesOf({ plan }: StoredRun): Map<string, string> {
  const classes = new Map<string, string>();
  for (const { detail } of plan.trials) {
    const { clients, mix } =
      (detail as { load?: { options?: { clients?: unknown; mix?: unknown } } } | undefined)?.load?.options ?? {};
    for (const client of [clients, mix].flatMap((list) => (Array.isArray(list) ? list : []))) {
      const { tenant, class: own } = client as { tenant?: unknown; class?: unknown };
      if (typeof tenant === 'string' && typeof own === 'string') classes.set(tenant, own);
    }
  }
  return classes;
}
