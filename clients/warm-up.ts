import { RecordTable } from '../results/record.js';
import { createArrival } from './arrivals/index.js';
import type { Live } from './live.js';
import type { LoadPlan } from './loads/index.js';
import { Pacer } from './pacer.js';
import { type PhaseTools, runPhase } from './phase.js';
import { appendRows, shiftTimes } from './rows.js';

const MAX_ROWS = 50_000;
/** Rows of a closed loop whose speed nobody knows yet: beyond what one sender manages. */
const FASTEST_PER_SECOND = 30_000;
const MIN_ROWS = 10_000;
const MAX_TABLE_ROWS = 8_000_000;
/**
 * Code is compiled by how often it ran, not by how long: measured on two cores, a server's own part of a request fell by half over
 * its first 2,000 to 3,000 requests, whatever their rate.
 */
const ENOUGH = 2500;
/** A warm-up that has seen fewer goes on for so long, and so many times its own length, at most. */
const MOST_MORE_NS = 1.5e9;
const MOST_MORE_TIMES = 4;

export interface WarmUp {
  readonly table: RecordTable;
  /** Clock reading of its t = 0. */
  readonly originNs: number;
  /** Of the closed loop; NaN where there was no warm-up. */
  readonly perSecond: number;
  /** It ended as an open load goes, after a collection of garbage. */
  readonly rehearsed: boolean;
}

/**
 * For so long, samples from the end of the load's list, answered in full before t = 0 of the measured load: a closed loop; before
 * an open load a closed loop for half the time, then a rehearsal. The closed loop goes on until 2,500 requests have been answered,
 * for four times the warm-up's length or 1.5 s more at most. `members` load processes share that number.
 */
export async function runWarmUp(
  durationNs: number,
  plan: LoadPlan,
  members: number,
  tools: PhaseTools,
  started: (live: Live) => void,
): Promise<WarmUp> {
  const originNs = tools.timeline.now();
  if (durationNs <= 0) return { table: new RecordTable(0), originNs, perSecond: Number.NaN, rehearsed: false };
  const rehearsed = plan.mode === 'open' && !plan.closed && !plan.sessions && !plan.latenessExpected;
  const loopNs = rehearsed ? durationNs / 2 : durationNs;
  const longestNs = loopNs + Math.min(MOST_MORE_TIMES * durationNs, MOST_MORE_NS);
  const table = new RecordTable(rehearsed ? 2 * MAX_ROWS : MAX_ROWS);
  const { sendingNs } = await runPhase(
    {
      plan: warmUpPlan(plan, { loopNs, longestNs, requests: Math.ceil(ENOUGH / members) }),
      table,
      warmUp: true,
      originNs,
      maxDurationNs: longestNs,
      phaseChanged: (_phase, live) => started(live),
    },
    { ...tools, judging: undefined },
  );
  const perSecond = (table.length / sendingNs) * 1e9;
  const warmUp = { table, originNs, perSecond, rehearsed };
  if (rehearsed) {
    await openConnections(Math.min(plan.cap, Math.ceil(CONNECTIONS / members)), tools);
    await rehearse(plan, loopNs, warmUp, tools, started);
  }
  return warmUp;
}

/**
 * As many connections as a queue may need before it is there, by asking so often at once whether the model is ready. Opened in the
 * load they feed themselves: each costs the server a fraction of a millisecond, what waits meanwhile needs connections of its own.
 * Measured on two cores at half the capacity of `serial`, medians of six interleaved trials, p99 without and with them:
 * tfs-batch 6.5 and 4.5 ms, two instances 15 and 8.6 ms, serial 19 and 8.7 ms (3.7 to 58: it still falls into queues).
 */
async function openConnections(count: number, { transport, signal }: PhaseTools): Promise<void> {
  // An abort is for the phases to tell.
  await Promise.all(Array.from({ length: count }, () => transport.ready(signal).catch(() => false)));
}

/** Of all load processes together. */
const CONNECTIONS = 256;

/**
 * Open arrivals before open arrivals: a sender that has only seen a closed loop would throw away the code compiled for it and
 * compile anew in the first second that counts (measured on two cores: lateness p99 2 ms in that second, 0.2 ms later). At half
 * the pace of the closed loop, whatever the load's own: it is to see many requests and no queue.
 */
async function rehearse(
  plan: OpenPlan,
  durationNs: number,
  { table, originNs, perSecond }: WarmUp,
  tools: PhaseTools,
  started: (live: Live) => void,
): Promise<void> {
  const rehearsal = rehearsalPlan(plan, durationNs, perSecond / 2);
  if (rehearsal.dueNs.length === 0) return;
  // The garbage of preparing goes before it and not after: a full collection also throws compiled code away.
  collectGarbage();
  const pacer = await Pacer.start(rehearsal.dueNs, tools.timeline instanceof Pacer ? tools.timeline.lead : undefined);
  const beginsNs = pacer.now();
  const rows = new RecordTable(rehearsal.dueNs.length);
  try {
    await runPhase(
      {
        plan: rehearsal,
        table: rows,
        warmUp: true,
        originNs: beginsNs,
        maxDurationNs: durationNs,
        phaseChanged: (_phase, live) => started(live),
      },
      { ...tools, timeline: pacer, judging: undefined },
    );
  } finally {
    await pacer.close();
  }
  shiftTimes(rows, rows.length, originNs - beginsNs);
  appendRows(rows, table);
}

function rehearsalPlan(plan: OpenPlan, durationNs: number, perSecond: number): OpenPlan {
  const gap = createArrival('poisson', {}, perSecond, 1n);
  const due: number[] = [];
  for (let at = gap(); at < durationNs && due.length < MAX_ROWS; at += gap()) due.push(at);
  const { sampleIndex, cap, mix } = plan;
  const last = sampleIndex.length - 1;
  const places = Uint32Array.from(due, (_, i) => last - (i % sampleIndex.length));
  return {
    mode: 'open',
    dueNs: Float64Array.from(due),
    sampleIndex: places.map((place) => sampleIndex[place]!),
    query: places.map((_, i) => i),
    cap,
    latenessExpected: false,
    mix: mix && { ...mix, of: Uint8Array.from(places, (place) => mix.of[place]!) },
  };
}

/** Where node runs with --expose-gc. */
export function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}

type OpenPlan = Extract<LoadPlan, { mode: 'open' }>;

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
function warmUpPlan(plan: LoadPlan, { loopNs, longestNs, requests }: WarmUpLoop): LoadPlan {
  const perQuery = plan.mode === 'closed' ? plan.perQuery : 1;
  return {
    mode: 'closed',
    concurrency: plan.mode === 'closed' ? Math.max(FEW, plan.concurrency) : Math.min(FEW, plan.cap),
    perQuery,
    sampleIndex: plan.sampleIndex.slice(-MAX_ROWS).reverse(),
    mix: plan.mix && { ...plan.mix, of: plan.mix.of.slice(-MAX_ROWS).reverse() },
    minDurationNs: loopNs,
    minQueries: Math.ceil(requests / perQuery),
    maxDurationNs: longestNs,
    maxQueries: Math.floor(MAX_ROWS / perQuery),
  };
}

interface WarmUpLoop {
  readonly loopNs: number;
  readonly longestNs: number;
  readonly requests: number;
}

const FEW = 8;
