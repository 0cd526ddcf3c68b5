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
  return judgedOf(group).map(({ trial, accuracy: { metric, value, interval, correct, total } }): Cell[] => {
    const trials = [trial.id];
    return [
      ...[group.system, group.transport, group.load, metric],
      { text: percentText(value, 2), mark: target !== undefined && value < target ? 'bad' : undefined, trials },
      { text: `${percentText(interval.low, 2)} – ${percentText(interval.high, 2)}`, trials },
      { text: correct.toLocaleString('en-US'), trials },
      { text: total.toLocaleString('en-US'), trials },
    ];
  });
}

function judgedOf(group: Group) {
  return group.summaries.flatMap(({ trial, accuracy: judged }) => (judged ? [{ trial, accuracy: judged }] : []));
}
