import { UserError } from '../results/errors.js';
import type { RecordTable } from '../results/record.js';
import type { LoadPlan } from './loads/index.js';

/** One of several load processes that carry out one plan together. */
export interface Share {
  /** From 0. */
  readonly index: number;
  readonly of: number;
}

/**
 * What one of several processes sends of a plan that all of them have drawn in full from the same seeds. Open: every request
 * k with k mod W = index, at its own due time; the cap is dealt out. Sessions are dealt out whole: a step follows answers that
 * its own process must have seen. Closed: the slots are dealt out, and each slot s of C
 * takes the queries s, s + C, s + 2C … of the one sequence, so that the shares of one plan are disjoint and their union is
 * what one process would send. Throws UserError where there is less to deal than there are processes.
 */
export function shareOf(plan: LoadPlan, share: Share): LoadPlan {
  if (share.of === 1) return plan;
  const most = mostProcesses(plan);
  if (share.of > most)
    throw new UserError({
      place: 'load processes',
      found: `${share.of} for a load that ${plan.mode === 'open' ? 'sends or has in flight' : 'has in flight'} ${most} at most`,
      allowed: `at most ${most}`,
      remedy: 'Use fewer load processes, or a load with more in flight',
    });
  return plan.mode === 'open' ? openShare(plan, share) : closedShare(plan, share);
}

/** Over how many processes a plan can be dealt out: each needs a request and a place in flight. */
export function mostProcesses(plan: LoadPlan): number {
  if (plan.mode === 'closed') return plan.concurrency;
  if (plan.closed) return 1;
  return Math.min(plan.cap, plan.dueNs.length / (plan.sessions?.steps.length ?? 1));
}

/**
 * Gives the measured rows of a share, in the order of their sending, their places in the whole plan, and the queries of a
 * closed loop numbers that no other share gives.
 */
export function numberAsWhole(plan: LoadPlan, table: RecordTable, firstRow: number, { index, of }: Share): void {
  for (let row = firstRow; row < table.length; row++) {
    table.sequence[row] = (row - firstRow) * of + index;
    if (plan.mode === 'closed') table.query[row] = table.query[row]! * of + index;
  }
}

function openShare(plan: Extract<LoadPlan, { mode: 'open' }>, { index, of }: Share): LoadPlan {
  const { sessions } = plan;
  const together = sessions?.steps.length ?? 1;
  const mine = (_: number, i: number) => Math.floor(i / together) % of === index;
  return {
    ...plan,
    sessions: sessions && { ...sessions, singlesFrom: plan.query.at(-1)! + 2 + index * MOST_SINGLES },
    dueNs: plan.dueNs.filter(mine),
    sampleIndex: plan.sampleIndex.filter(mine),
    query: plan.query.filter(mine),
    mix: plan.mix && { ...plan.mix, of: plan.mix.of.filter(mine) },
    cap: dealt(plan.cap, index, of),
  };
}

/** More samples than a warm-up sends as sequences of their own. */
const MOST_SINGLES = 1e6;

function closedShare(plan: Extract<LoadPlan, { mode: 'closed' }>, { index, of }: Share): LoadPlan {
  const { concurrency, perQuery } = plan;
  // Whole rounds of all slots: where a share cycles, it does so as the whole would.
  const queries = Math.max(concurrency, wholeRounds(plan.sampleIndex.length / perQuery, concurrency));
  const isMine = (query: number) => (query % concurrency) % of === index;
  const places = new Uint32Array(dealtQueries(queries, concurrency, index, of) * perQuery);
  let at = 0;
  for (let query = 0; query < queries; query++)
    for (let i = 0; i < perQuery && isMine(query); i++) places[at++] = (query * perQuery + i) % plan.sampleIndex.length;
  return {
    ...plan,
    concurrency: dealt(concurrency, index, of),
    sampleIndex: places.map((place) => plan.sampleIndex[place]!),
    mix: plan.mix && { ...plan.mix, of: Uint8Array.from(places, (place) => plan.mix!.of[place]!) },
    minQueries: dealtQueries(plan.minQueries, concurrency, index, of),
    maxQueries: dealtQueries(plan.maxQueries, concurrency, index, of),
  };
}

function wholeRounds(queries: number, concurrency: number): number {
  return Math.floor(queries / concurrency) * concurrency;
}

/** Of `count` things dealt in turn, those that fall to `index`. */
function dealt(count: number, index: number, of: number): number {
  return Math.ceil((count - index) / of);
}

/** Of the first `queries`, dealt to `concurrency` slots in turn, those whose slot belongs to `index`. */
function dealtQueries(queries: number, concurrency: number, index: number, of: number): number {
  if (!Number.isFinite(queries)) return queries;
  const rest = queries % concurrency;
  const rounds = (queries - rest) / concurrency;
  return rounds * dealt(concurrency, index, of) + Math.max(0, dealt(rest, index, of));
}
