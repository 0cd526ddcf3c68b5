import type { TrialOutcome } from '../summary.js';
import { formatDuration } from '../units.js';
import type { Cell, ViewDefinition } from './contract.js';
import { identityOf } from './support/groups.js';

/** Every trial with its verdict and the folder that its figures were computed from: where the cells of the tables lead to. */
export const trials: ViewDefinition = {
  name: 'trials',
  summary: 'Every trial in order of execution: verdict, answers, when, schedule',
  render({ run }) {
    if (run.outcomes.length === 0) return undefined;
    const outcomes = [...run.outcomes].sort((a, b) => identityOf(a).order - identityOf(b).order);
    return [
      { kind: 'heading', text: 'Trials' },
      {
        kind: 'text',
        text: 'In order of execution. Each figure above names the trials that it comes from; `trials/ID/summary.json` and `trials/ID/records.arrow` in the run folder hold what it was computed from.',
      },
      {
        kind: 'table',
        caption: 'Trials',
        columns: [
          { title: 'trial', align: 'left' },
          { title: 'verdict', align: 'left' },
          { title: 'answered', align: 'right' },
          { title: 'length', align: 'right' },
          { title: 'started (UTC)', align: 'left' },
          { title: 'schedule', align: 'left' },
        ],
        rows: outcomes.map(row),
      },
    ];
  },
};

function row(outcome: TrialOutcome): Cell[] {
  const { id } = identityOf(outcome);
  const name: Cell = { text: `\`${id}\``, anchor: id };
  const from = { trials: [id] };
  if (outcome.state !== 'completed') {
    const dash: Cell = { text: '–', mark: 'dim' };
    return [name, { text: outcome.state, mark: outcome.state === 'failed' ? 'bad' : 'dim' }, dash, dash, dash, dash];
  }
  const { verdict, counts, durationNs, startedAt, schedule } = outcome.summary;
  return [
    name,
    { text: verdict.state, mark: verdict.state === 'INVALID' ? 'bad' : undefined, ...from },
    { text: counts.ok.toLocaleString('en-US'), ...from },
    { text: formatDuration(durationNs), ...from },
    { text: startedAt.slice(0, 19).replace('T', ' '), ...from },
    { text: `\`${schedule.sha256.slice(0, 8)}\``, ...from },
  ];
}
