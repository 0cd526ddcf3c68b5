import { accuracyMetricNamed } from '../accuracy/index.js';
import { significant } from '../units.js';
import type { Cell, ViewDefinition, ViewInput } from './contract.js';
import { accuracyTrial, judgements } from './support/accuracy-gate.js';
import { comparedGroups, type Group, groupsOfType } from './support/groups.js';
import { listed, percentText } from './support/text.js';

/** How right the answers were, of every trial that judged them. */
export const accuracy: ViewDefinition = {
  name: 'accuracy',
  summary: 'Accuracy with its interval, where answers were judged',
  render(input) {
    const { run } = input;
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
      ...sampledWords(judged, input).map((text) => ({ kind: 'text', text }) as const),
    ];
  },
};

/** Answers that were judged under load, held against accuracy mode sample by sample. */
function sampledWords(judged: readonly Group[], input: ViewInput): string[] {
  let [compared, other] = [0, 0];
  const places = new Set<string>();
  for (const group of judged.filter(({ loadType }) => loadType !== 'accuracy')) {
    const known = judgements(input, accuracyTrial(input.run, group.system, group.transport)?.trial.id);
    for (const { trial } of group.summaries)
      for (const [sample, found] of judgements(input, trial.id)) {
        const before = known.get(sample);
        if (before === undefined) continue;
        compared++;
        // Batches may round otherwise.
        if (Math.abs(before - found) <= 1e-4 * Math.max(1, Math.abs(before))) continue;
        other++;
        places.add(`${group.system} under ${group.load}`);
      }
  }
  if (compared === 0) return [];
  const said = `Of ${compared.toLocaleString('en-US')} samples judged under load, ${other === 0 ? 'all are' : `${(compared - other).toLocaleString('en-US')} are`} judged as in accuracy mode.`;
  return [other === 0 ? said : `${said} The others: ${few([...places])}.`];
}

function few(names: readonly string[]): string {
  return names.length <= 6 ? listed(names) : `${names.slice(0, 6).join(', ')} and ${names.length - 6} more`;
}

function rowsOf(group: Group, target: number | undefined): Cell[][] {
  return judgedOf(group).map(({ trial, accuracy: { metric, value, interval, correct, total } }): Cell[] => {
    const trials = [trial.id];
    const { lowerIsBetter } = accuracyMetricNamed(metric);
    const text = (figure: number) => (lowerIsBetter ? significant(figure) : percentText(figure, 2));
    const misses = (bound: number) => (lowerIsBetter ? value > bound : value < bound);
    return [
      ...[group.system, group.transport, group.load, metric],
      { text: text(value), mark: target !== undefined && misses(target) ? 'bad' : undefined, trials },
      { text: `${text(interval.low)} – ${text(interval.high)}`, trials },
      { text: correct?.toLocaleString('en-US') ?? '–', trials },
      { text: total.toLocaleString('en-US'), trials },
    ];
  });
}

function judgedOf(group: Group) {
  return group.summaries.flatMap(({ trial, accuracy: judged }) => (judged ? [{ trial, accuracy: judged }] : []));
}
