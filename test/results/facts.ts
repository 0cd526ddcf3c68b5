import type { TrialFacts } from '../../results/facts.js';
import { OUTCOMES, type Outcome, RecordTable } from '../../results/record.js';

/** One request for a test, times in ms; what is left out did not happen or is told by nobody. */
export interface Row {
  readonly due: number;
  readonly issued?: number | undefined;
  readonly completed?: number | undefined;
  readonly firstByte?: number | undefined;
  readonly outcome?: Outcome | undefined;
  readonly error?: string | undefined;
  readonly warmUp?: boolean | undefined;
  readonly query?: number | undefined;
  /** receive, queue, computeInput, computeInfer, computeOutput, serialise */
  readonly server?: readonly [number, number, number, number, number, number] | undefined;
  /** Its last byte was handed over. */
  readonly sent?: number | undefined;
  /** The server's whole time, by stamps of its own. */
  readonly serverTotal?: number | undefined;
  /** When the server saw it, on a clock of its own. */
  readonly seen?: number | undefined;
  readonly execution?: readonly [id: number, size: number] | undefined;
  readonly correct?: boolean | undefined;
}

/** The records of these requests: issued when due and ok unless said. */
export function recordsOf(rows: readonly Row[]): RecordTable {
  const table = new RecordTable(rows.length);
  table.length = rows.length;
  rows.forEach((row, i) => {
    table.sequence[i] = i;
    table.query[i] = row.query ?? i;
    table.rows[i] = 1;
    table.dueNs[i] = row.due * 1e6;
    table.issuedNs[i] = (row.issued ?? row.due) * 1e6;
    table.firstByteNs[i] = (row.firstByte ?? row.completed ?? Number.NaN) * 1e6;
    table.sentNs[i] = (row.sent ?? Number.NaN) * 1e6;
    table.serverTotalNs[i] = (row.serverTotal ?? Number.NaN) * 1e6;
    table.serverSeenNs[i] = (row.seen ?? Number.NaN) * 1e6;
    table.completedNs[i] = (row.completed ?? Number.NaN) * 1e6;
    table.outcome[i] = OUTCOMES.indexOf(row.outcome ?? (row.completed === undefined ? 'unfinished' : 'ok'));
    table.error[i] = row.error ? table.errorNumber(row.error) : 0;
    table.warmUp[i] = row.warmUp ? 1 : 0;
    if (row.correct !== undefined) table.correct[i] = row.correct ? 1 : 0;
    [table.executionId[i], table.batchSize[i]] = row.execution ?? [0, 0];
    if (!row.server) return;
    const names = [
      'receiveNs',
      'queueNs',
      'computeInputNs',
      'computeInferNs',
      'computeOutputNs',
      'serialiseNs',
    ] as const;
    for (const [k, name] of names.entries()) table[name][i] = row.server[k]! * 1e6;
  });
  return table;
}

/** n requests, one every `everyMs` from 0, each answered after `latencyMs`. */
export function steady(n: number, everyMs: number, latencyMs: number | ((i: number) => number)): Row[] {
  const latency = typeof latencyMs === 'number' ? () => latencyMs : latencyMs;
  return Array.from({ length: n }, (_, i) => ({ due: i * everyMs, completed: i * everyMs + latency(i) }));
}

type Changes = { readonly [Key in keyof TrialFacts]?: Partial<TrialFacts[Key]> };

/** An open load over these requests without any rule broken; `changes` replace single facts. */
export function factsOf(rows: readonly Row[], changes: Changes = {}): TrialFacts {
  const records = recordsOf(rows);
  const last = Math.max(0, ...rows.map((row) => row.completed ?? row.due));
  return {
    records,
    identity: {
      ...{ id: 'serial.half.rest.r1', system: 'serial', load: 'half', loadType: 'open', transport: 'rest' },
      ...{ repeat: 1, order: 0, simulated: false },
      ...changes.identity,
    },
    drive: {
      startedAt: '2026-01-01T00:00:00.000Z',
      durationNs: last * 1e6,
      offered: rows.filter((row) => !row.warmUp).length,
      scheduleSha256: 'ab',
      arrivals: 'constant',
      clockDrift: 0,
      stoppedEarly: null,
      cpu: { userSeconds: 1, systemSeconds: 0.5 },
      ...changes.drive,
    },
    load: {
      primary: { metric: 'throughput', percentile: null },
      scheduled: true,
      latenessExpected: false,
      perQuery: false,
      ratePerSecond: 100,
      latencyBoundNs: null,
      minDurationNs: 0,
      minQueries: 0,
      cap: null,
      ...changes.load,
    },
    statistics: changes.statistics as TrialFacts['statistics'],
    processes: (changes.processes as TrialFacts['processes']) ?? [],
    targets: { ...changes.targets },
    gateway: changes.gateway as TrialFacts['gateway'],
    seed: 1n,
    scheduleSeed: '1',
    ...(changes.roofline ? { roofline: changes.roofline as TrialFacts['roofline'] } : {}),
  };
}

/** A closed loop instead: no schedule. */
export const CLOSED: Partial<TrialFacts['load']> = { scheduled: false, ratePerSecond: null };
/** MLPerf offline: one query at 0. */
export const OFFLINE: Partial<TrialFacts['load']> = { scheduled: false, latenessExpected: true, ratePerSecond: null };
/** MLPerf server with a bound of 10 ms. */
export const SERVER: Partial<TrialFacts['load']> = {
  primary: { metric: 'targetRate', percentile: 0.99 },
  latencyBoundNs: 10e6,
};
