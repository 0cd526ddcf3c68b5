import type { Cell, ViewDefinition } from './contract.js';
import { comparedGroups, type Group, groupsOfType } from './support/groups.js';
import { percentText } from './support/text.js';

/** How often the answers were right, of every trial that judged them. */
export const accuracy: ViewDefinition = {
  name: 'accuracy',
  summary: 'Accuracy with its Wilson interval, where answers were judged',
  render({ run }) {
    const judged = [...groupsOfType(run, 'accuracy'), ...comparedGroups(run)].filter(
      (group) => judgedOf(group).length > 0,
    );
    if (judged.length === 0) return undefined;
    const target = run.plan.targets.accuracy;
    const columns = ['system', 'transport', 'load', 'metric'].map((title) => ({ title, align: 'left' }) as const);
    const numbers = ['accuracy', '95 % interval', 'right', 'of'].map((title) => ({ title, align: 'right' }) as const);
    const caption = `Accuracy${target === undefined ? '' : ` (target ${percentText(target)})`}`;
    return [
      { kind: 'heading', text: 'Accuracy' },
      {
        kind: 'table',
        caption,
        columns: [...columns, ...numbers],
        rows: judged.flatMap((group) => rowsOf(group, target)),
      },
    ];
  },
};

function rowsOf(group: Group, target: number | undefined): Cell[][] {
  return judgedOf(group).map(({ metric, value, interval, correct, total }): Cell[] => [
    ...[group.system, group.transport, group.load, metric],
    { text: percentText(value, 2), mark: target !== undefined && value < target ? 'bad' : undefined },
    `${percentText(interval.low, 2)} – ${percentText(interval.high, 2)}`,
    correct.toLocaleString('en-US'),
    total.toLocaleString('en-US'),
  ]);
}

function judgedOf(group: Group) {
  return group.summaries.flatMap((summary) => summary.accuracy ?? []);
}
