import { RecordTable } from '../results/record.js';
import type { Live } from './live.js';
import type { LoadPlan } from './loads/index.js';
import { type PhaseTools, runPhase } from './phase.js';

const MAX_ROWS = 50_000;
/** Rows of a closed loop whose speed nobody knows yet: beyond what one sender manages. */
const FASTEST_PER_SECOND = 30_000;
const MIN_ROWS = 10_000;
const MAX_TABLE_ROWS = 8_000_000;

export interface WarmUp {
  readonly table: RecordTable;
  /** Clock reading of its t = 0. */
  readonly originNs: number;
  /** NaN where there was no warm-up. */
  readonly perSecond: number;
}

/** A closed loop for so long, samples from the end of the load's list, answered in full before t = 0 of the measured load. */
export async function runWarmUp(
  durationNs: number,
  plan: LoadPlan,
  tools: PhaseTools,
  started: (live: Live) => void,
): Promise<WarmUp> {
  const originNs = tools.timeline.now();
  if (durationNs <= 0) return { table: new RecordTable(0), originNs, perSecond: Number.NaN };
  const table = new RecordTable(MAX_ROWS);
  const { sendingNs } = await runPhase(
    {
      plan: warmUpPlan(plan, durationNs, MAX_ROWS),
      table,
      warmUp: true,
      originNs,
      maxDurationNs: durationNs,
      phaseChanged: (_phase, live) => started(live),
    },
    { ...tools, judging: undefined },
  );
  return { table, originNs, perSecond: (table.length / sendingNs) * 1e9 };
}

/**
 * Room for the measured rows: exact for an open load, eight times what the warm-up's speed promises for a closed one. A warm-up that
 * was disturbed must not end the load; rows that are never written cost address space only.
 */
export function measuredRows(plan: LoadPlan, warmUp: WarmUp): number {
  const perSecond = Number.isNaN(warmUp.perSecond) ? FASTEST_PER_SECOND : 8 * warmUp.perSecond;
  if (plan.mode === 'open') {
    const ofClosed = plan.closed ? Math.max(MIN_ROWS, Math.ceil((perSecond * plan.closed.durationNs) / 1e9)) : 0;
    return Math.min(plan.dueNs.length + ofClosed, MAX_TABLE_ROWS);
  }
  const expected = Math.max(MIN_ROWS, Math.ceil((perSecond * plan.minDurationNs) / 1e9));
  const wanted = expected + 2 * plan.minQueries * plan.perQuery;
  return Math.min(wanted, plan.maxQueries * plan.perQuery, MAX_TABLE_ROWS);
}

/**
 * A closed loop of eight or more whatever the load: at the pace of a slow load neither side's code would be compiled, nor
 * the server's batch shapes seen, by the time that counts.
 */
function warmUpPlan(plan: LoadPlan, durationNs: number, rows: number): LoadPlan {
  const perQuery = plan.mode === 'closed' ? plan.perQuery : 1;
  return {
    mode: 'closed',
    concurrency: plan.mode === 'closed' ? Math.max(FEW, plan.concurrency) : Math.min(FEW, plan.cap),
    perQuery,
    sampleIndex: plan.sampleIndex.slice(-rows).reverse(),
    mix: plan.mix && { ...plan.mix, of: plan.mix.of.slice(-rows).reverse() },
    minDurationNs: durationNs,
    minQueries: 1,
    maxDurationNs: durationNs,
    maxQueries: Math.floor(rows / perQuery),
  };
}

const FEW = 8;
