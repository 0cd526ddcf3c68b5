import { type CrossCheck, crossChecks } from '../queueing.js';
import type { RunPlan } from '../run.js';
import type { TrialSummary } from '../summary.js';
import { formatDuration, significant } from '../units.js';
import type { Block, Cell, ViewDefinition, ViewInput } from './contract.js';
import { comparedGroups } from './support/groups.js';

/** Queueing theory beside the measurement: where they differ, one of them is not what it is taken to be. */
export const queueing: ViewDefinition = {
  name: 'queueing',
  summary: 'Little’s law, utilisation, M/G/1 and M/D/1 waits beside what was measured, with their conditions',
  render(input) {
    const summaries = comparedGroups(input.run).flatMap((group) => (group.simulated ? [] : group.summaries));
    const rows = summaries.flatMap((summary) =>
      checksOf(summary, input).map((check): Cell[] => [
        { text: summary.trial.id, trials: [summary.trial.id] },
        check.law,
        figure(check, check.expected),
        figure(check, check.measured),
        difference(check),
        check.condition,
      ]),
    );
    if (rows.length === 0) return undefined;
    return [
      { kind: 'heading', text: 'Queueing theory beside it' },
      {
        kind: 'text',
        text: 'W and N count from the due time to the completion. S is how long an instance is taken by a request (input, compute, output), so a wait that is longer than theory’s shows what else stands in the way: hand-over between threads, the event loop, a machine that is shared.',
      },
      { kind: 'table', caption: 'Expected and measured', columns: COLUMNS, rows },
    ] satisfies Block[];
  },
};

const COLUMNS = [
  { title: 'trial', align: 'left' },
  { title: 'law', align: 'left' },
  { title: 'expected', align: 'right' },
  { title: 'measured', align: 'right' },
  { title: 'difference', align: 'right' },
  { title: 'holds for', align: 'left' },
] as const;

/** The scheduled trials only: a closed loop’s arrivals are its departures. */
function checksOf(summary: TrialSummary, { run, records }: ViewInput): readonly CrossCheck[] {
  if (summary.schedule.arrivals === null) return [];
  const table = records(summary.trial.id);
  const system = systemOf(run.plan, summary.trial.id);
  if (!table || !system) return [];
  const workers = summary.processes.find(({ role }) => role === 'workers');
  return crossChecks(table, {
    instances: system.strategy.name === 'serial' ? 1 : system.instances,
    serial: system.strategy.name === 'serial',
    poisson: summary.schedule.arrivals === 'poisson',
    workerSeconds: workers ? workers.userSeconds + workers.systemSeconds : null,
    durationNs: summary.durationNs,
  });
}

interface PlannedSystem {
  readonly strategy: { readonly name: string };
  readonly instances: number;
}

/** The plan's detail is opaque down here; where it names no strategy of ours there is nothing to check. */
function systemOf(plan: RunPlan, trialId: string): PlannedSystem | undefined {
  const detail = plan.trials.find(({ identity }) => identity.id === trialId)?.detail as
    | { readonly system?: Partial<PlannedSystem> }
    | undefined;
  const { strategy, instances } = detail?.system ?? {};
  return strategy && instances !== undefined ? { strategy, instances } : undefined;
}

function figure({ unit }: CrossCheck, value: number): string {
  if (unit === 'ns') return formatDuration(value);
  return unit === 'share' ? `${significant(value * 100)} %` : significant(value);
}

function difference({ expected, measured }: CrossCheck): Cell {
  const share = measured / expected - 1;
  return Number.isFinite(share)
    ? `${share < 0 ? '−' : '+'}${significant(Math.abs(share) * 100)} %`
    : { text: '–', mark: 'dim' };
}
