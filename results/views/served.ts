import { formatDuration, significant } from '../units.js';
import type { Block, Cell, ViewDefinition } from './contract.js';
import { mergeValues } from './support/figures.js';
import { comparedGroups, type Group } from './support/groups.js';
import { manyTransports, rowLabel, traced } from './support/text.js';

/** Servers with several models behind one: answers from memory or after a load; which variant answered, when, how right. */
export const served: ViewDefinition = {
  name: 'served',
  summary: 'Several models in one server: hit rate, loads, cold starts; variants chosen over time, accuracy, regret',
  render({ run }) {
    const groups = comparedGroups(run).filter((group) => group.summaries.some((summary) => summary.served));
    if (groups.length === 0) return undefined;
    const transports = manyTransports(groups);
    const names = new Map(run.plan.systems.map(({ name, variants }) => [name, variants]));
    const loading = groups.filter((group) => group.summaries.some(({ served: own }) => own?.loads || own?.cold));
    const choosing = groups.filter((group) => group.summaries.some(({ served: own }) => own?.variants.length));
    return [
      { kind: 'heading', text: 'Several models in one server' },
      ...(loading.length > 0 ? [memoryTable(loading, transports)] : []),
      ...(choosing.length > 0 ? [variantTable(choosing, transports, (system) => names.get(system))] : []),
    ];
  },
};

const MEMORY = ['hit rate', 'cold requests', 'waited p50', 'waited max', 'loads', 'mean load'];

function memoryTable(groups: readonly Group[], transports: boolean): Block {
  return {
    kind: 'table',
    caption:
      'Models in memory: a hit was answered without waiting for a load; what cold requests waited is the component "load"',
    columns: ['system', 'under', ...MEMORY].map((title, i) => ({ title, align: i < 2 ? 'left' : 'right' })),
    rows: groups.map((group): Cell[] => {
      const own = group.summaries.flatMap((summary) => summary.served ?? []);
      const mean = (pick: (each: (typeof own)[number]) => number | null) => meanOf(own.map(pick));
      const hits = mean(({ warm, cold }) => (warm + cold > 0 ? warm / (warm + cold) : null));
      return [
        rowLabel(group, transports),
        group.load,
        ...[
          hits === undefined ? DASH : `${significant(hits * 100)} %`,
          count(mean(({ cold }) => cold)),
          time(mean(({ loadNs }) => loadNs.p50.value)),
          time(mean(({ loadNs }) => loadNs.max)),
          count(mean(({ loads }) => loads?.count ?? null)),
          time(mean(({ loads }) => loads?.meanNs ?? null)),
        ].map((cell) => traced(cell, group)),
      ];
    }),
  };
}

const VARIANTS = ['variant', 'requests', 'right', 'p50', 'share in each tenth of the time', 'regret'];

function variantTable(
  groups: readonly Group[],
  transports: boolean,
  namesOf: (system: string) => readonly string[] | undefined,
): Block {
  return {
    kind: 'table',
    caption:
      'Which variant answered. Regret: right answers that the best variant’s accuracy would have given beside those that were given, of the judged ones',
    columns: ['system', 'under', ...VARIANTS].map((title, i) => ({ title, align: i < 3 ? 'left' : 'right' })),
    rows: groups.flatMap((group) => {
      const own = group.summaries.flatMap((summary) => summary.served ?? []);
      const numbers = [...new Set(own.flatMap(({ variants }) => variants.map(({ variant }) => variant)))].sort(
        (a, b) => a - b,
      );
      return numbers.map((number, row): Cell[] => {
        const each = own.flatMap(({ variants }) => variants.filter(({ variant }) => variant === number));
        const judged = each.reduce((sum, { judged: n }) => sum + n, 0);
        const right = each.reduce((sum, { right: n }) => sum + n, 0);
        const shares = Array.from({ length: 10 }, (_, i) => meanOf(each.map((of) => of.shares[i] ?? 0)) ?? 0);
        return [
          rowLabel(group, transports),
          group.load,
          namesOf(group.system)?.[number - 1] ?? `variant ${number}`,
          ...[
            count(meanOf(each.map(({ requests }) => requests))),
            judged > 0 ? `${significant((right / judged) * 100)} %` : DASH,
            time(meanOf(each.map(({ p50Ns }) => p50Ns))),
            shares.map((share) => Math.round(share * 100)).join(' '),
            row === 0 ? count(meanOf(own.map(({ regret }) => regret))) : '',
          ].map((cell) => traced(cell, group)),
        ];
      });
    }),
  };
}

function meanOf(values: readonly (number | null)[]): number | undefined {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? mergeValues(known)?.value : undefined;
}

function count(value: number | undefined): Cell {
  return value === undefined ? DASH : Math.round(value).toLocaleString('en-US');
}

function time(value: number | undefined): Cell {
  return value === undefined ? DASH : formatDuration(value);
}

const DASH = { text: '–', mark: 'dim' } as const;
