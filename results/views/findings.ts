import type { Finding, TrialOutcome, TrialSummary } from '../summary.js';
import type { Block, Cell, ViewDefinition } from './contract.js';
import { groupBy } from './support/group-by.js';
import { identityOf } from './support/groups.js';
import { counted, literal } from './support/text.js';

/** What is wrong with the measurement, what was missed, and the trials that did not complete. */
export const findings: ViewDefinition = {
  name: 'findings',
  summary: 'Verdicts with their reasons and advice; failed and skipped trials',
  render({ run }) {
    if (run.outcomes.length === 0 && run.plan.trials.length === 0) return undefined;
    const completed = run.outcomes.flatMap((outcome) => (outcome.state === 'completed' ? [outcome.summary] : []));
    const missing = run.plan.trials.length - new Set(run.outcomes.map((outcome) => identityOf(outcome).id)).size;
    return [
      { kind: 'heading', text: 'Verdicts and findings' },
      { kind: 'text', text: verdicts(completed, missing) },
      ...SEVERITIES.flatMap(({ severity, caption }) => table(completed, severity, caption)),
      ...unfinished(run.outcomes),
      ...errors(completed),
    ];
  },
};

const SEVERITIES = [
  { severity: 'invalid', caption: 'Makes a trial INVALID' },
  { severity: 'missed', caption: 'Targets missed (an answer, not a fault of the measurement)' },
  { severity: 'warning', caption: 'Warnings' },
] as const;

function verdicts(completed: readonly TrialSummary[], missing: number): string {
  const invalid = completed.filter((summary) => summary.verdict.state === 'INVALID').length;
  const valid = completed.length - invalid;
  const parts = [`${counted(completed.length, 'trial')} completed: ${valid} VALID, ${invalid} INVALID.`];
  if (missing > 0) parts.push(`${counted(missing, 'planned trial')} did not run.`);
  return parts.join(' ');
}

/** One row for each rule and cell: repeats that break the same rule are told together, with the first one's words. */
function table(completed: readonly TrialSummary[], severity: Finding['severity'], caption: string): Block[] {
  const found = completed.flatMap(({ trial, verdict }) =>
    verdict.findings.filter((finding) => finding.severity === severity).map((finding) => ({ trial, finding })),
  );
  if (found.length === 0) return [];
  const rows = [
    ...groupBy(found, ({ trial: { system, load, transport, simulated }, finding }) =>
      JSON.stringify([finding.rule, system, load, transport, simulated]),
    ).values(),
  ];
  return [
    {
      kind: 'table',
      caption,
      columns: [left('rule'), left('trial'), left('what was seen'), left('what to do')],
      rows: rows.map((list): Cell[] => {
        const { finding } = list[0]!;
        return [
          {
            text: finding.rule,
            mark: severity === 'warning' ? 'dim' : 'bad',
            trials: list.map((each) => each.trial.id),
          },
          repeatsOf(list.map((each) => each.trial)),
          finding.message,
          finding.advice,
        ];
      }),
    },
  ];
}

/** `serial.over.grpc.r1`, or `serial.over.grpc.r1, r3` for repeats of one cell. */
function repeatsOf(trials: readonly { readonly id: string; readonly repeat: number }[]): string {
  return [trials[0]!.id, ...trials.slice(1).map(({ repeat }) => `r${repeat}`)].join(', ');
}

function unfinished(outcomes: readonly TrialOutcome[]): Block[] {
  const rows = outcomes.flatMap((outcome): Cell[][] => {
    if (outcome.state === 'completed') return [];
    const state: Cell = {
      text: outcome.state,
      mark: outcome.state === 'failed' ? 'bad' : 'dim',
      trials: [outcome.trial.id],
    };
    if (outcome.state === 'skipped') return [[state, outcome.trial.id, outcome.reason]];
    const last = outcome.lastLines.slice(-3).map(literal).join(' ');
    return [[state, outcome.trial.id, last ? `${outcome.error} Last lines: ${last}` : outcome.error]];
  });
  if (rows.length === 0) return [];
  const columns = [left('state'), left('trial'), left('reason')];
  return [{ kind: 'table', caption: 'Trials that did not complete', columns, rows }];
}

/** Requests that were not answered, by error code. */
function errors(completed: readonly TrialSummary[]): Block[] {
  const rows = completed.flatMap(({ trial, errors: byCode, counts }) =>
    Object.entries(byCode).map(([code, count]): Cell[] => [
      trial.id,
      code,
      count.toLocaleString('en-US'),
      counts.issued > 0 ? `${((100 * count) / counts.issued).toFixed(2)} %` : '–',
    ]),
  );
  if (rows.length === 0) return [];
  const columns = [left('trial'), left('error'), right('requests'), right('of issued')];
  return [{ kind: 'table', caption: 'Requests without an answer', columns, rows }];
}

function left(title: string) {
  return { title, align: 'left' } as const;
}

function right(title: string) {
  return { title, align: 'right' } as const;
}
