import { type TailAttribution, tailAttribution } from '../tail.js';
import { formatDuration } from '../units.js';
import type { Block, Cell, ViewDefinition, ViewInput } from './contract.js';
import { mergeValues } from './support/figures.js';
import { groupBy } from './support/group-by.js';
import { comparedGroups, type Group } from './support/groups.js';
import { manyTransports, percentText, rowLabel } from './support/text.js';

/** What makes the slowest 1 % slow. Absent where no trial has enough requests, or no server tells. */
export const tail: ViewDefinition = {
  name: 'tail',
  summary: 'Tail attribution: each component’s share of what the slowest 1 % take longer than the median',
  render(input) {
    const groups = comparedGroups(input.run);
    const rows = groups.flatMap((group) => {
      const found = attributions(group, input);
      return found.length > 0 ? [{ group, found }] : [];
    });
    if (rows.length === 0) return undefined;
    const several = manyTransports(groups);
    const text =
      'The slowest 1 % of the requests beside all of them: for each component its median there less its median over all, as a share of the sum. Below zero: it is shorter in the tail. Medians over the repeats.';
    return [
      { kind: 'heading', text: 'What makes the slowest 1 % slow' },
      { kind: 'text', text },
      ...[...groupBy(rows, ({ group }) => group.load)].map(([load, list]) => table(load, list, several)),
    ];
  },
};

interface Row {
  readonly group: Group;
  readonly found: readonly TailAttribution[];
}

function attributions({ summaries }: Group, { records }: ViewInput): TailAttribution[] {
  return summaries.flatMap(({ trial }) => {
    const table = records(trial.id);
    return (table && tailAttribution(table)) ?? [];
  });
}

function table(load: string, rows: readonly Row[], several: boolean): Block {
  const names = [...new Set(rows.flatMap(({ found }) => found.flatMap(({ parts }) => parts.map(({ name }) => name))))];
  const titles = ['median', 'of the slowest 1 %', ...names];
  return {
    kind: 'table',
    caption: `Share of the tail's excess under ${load}`,
    columns: [{ title: 'system', align: 'left' }, ...titles.map((title) => ({ title, align: 'right' }) as const)],
    rows: rows.map(({ group, found }): Cell[] => {
      const shares = names.map((name) => shareOf(name, found));
      const most = Math.max(...shares.map((share) => share ?? Number.NEGATIVE_INFINITY));
      const trials = group.summaries.map(({ trial }) => trial.id);
      return [
        rowLabel(group, several),
        { text: formatDuration(middle(found.map(({ typicalNs }) => typicalNs))), trials },
        { text: formatDuration(middle(found.map(({ tailNs }) => tailNs))), trials },
        ...shares.map((share) => shareCell(share, share === most && most > 0, trials)),
      ];
    }),
  };
}

function shareOf(name: string, found: readonly TailAttribution[]): number | undefined {
  const shares = found.flatMap(({ parts }) => parts.filter((part) => part.name === name).map(({ share }) => share));
  return mergeValues(shares)?.value;
}

function shareCell(share: number | undefined, most: boolean, trials: readonly string[]): Cell {
  if (share === undefined) return { text: '–', mark: 'dim' };
  const text = percentText(share === 0 ? 0 : share, 0)
    .replace(/^-0 /, '0 ')
    .replace('-', '−');
  return { text, mark: most ? 'bad' : undefined, trials };
}

function middle(values: readonly number[]): number {
  return mergeValues(values)!.value;
}
