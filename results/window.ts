import type { Window } from './metrics/index.js';
import { OUTCOMES, type RecordTable } from './record.js';
import { ascending } from './stats/index.js';

/** The measured window and the latencies in order of due time, which interval estimates need. */
export interface MeasuredWindow extends Window {
  /** Completed − due, one entry a query, in order of due time. */
  readonly latencyNs: Float64Array;
}

export interface WindowOptions {
  readonly durationNs: number;
  readonly scheduled: boolean;
  /** A query's latency is the slowest of its samples' (multi-stream). */
  readonly perQuery: boolean;
  readonly p99LatencyNs?: number | undefined;
}

/** Picks what counts and sorts the latencies once. Rows that were never filled (due NaN) do not exist. */
export function measuredWindow(records: RecordTable, options: WindowOptions): MeasuredWindow {
  const measured = measuredRows(records);
  const rows = measured.filter((row) => records.outcome[row] === OK);
  const latencyNs = options.perQuery ? queryLatencies(records, measured) : requestLatencies(records, rows);
  const { durationNs, scheduled, p99LatencyNs } = options;
  return {
    records,
    rows,
    measured,
    durationNs,
    scheduled,
    p99LatencyNs,
    latencyNs,
    sortedLatencyNs: ascending(latencyNs),
  };
}

const OK = OUTCOMES.indexOf('ok');

function measuredRows(records: RecordTable): Uint32Array {
  const rows = new Uint32Array(records.length);
  let count = 0;
  for (let row = 0; row < records.length; row++)
    if (records.warmUp[row] === 0 && !Number.isNaN(records.dueNs[row]!)) rows[count++] = row;
  const measured = rows.subarray(0, count);
  // Schedules are written in order; only several load processes' merged records may not be.
  return isOrdered(records.dueNs, measured) ? measured : measured.sort((a, b) => records.dueNs[a]! - records.dueNs[b]!);
}

function isOrdered(dueNs: Float64Array, rows: Uint32Array): boolean {
  for (let i = 1; i < rows.length; i++) if (dueNs[rows[i]!]! < dueNs[rows[i - 1]!]!) return false;
  return true;
}

function requestLatencies({ completedNs, dueNs }: RecordTable, rows: Uint32Array): Float64Array {
  const latencies = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) latencies[i] = completedNs[rows[i]!]! - dueNs[rows[i]!]!;
  return latencies;
}

/** The slowest of each query's samples. A query with a sample that was not ok is no ok query: it has no latency. */
function queryLatencies(records: RecordTable, measured: Uint32Array): Float64Array {
  const worst = new Map<number, number>();
  for (const row of measured) {
    const query = records.query[row]!;
    const latency =
      records.outcome[row] === OK ? records.completedNs[row]! - records.dueNs[row]! : Number.POSITIVE_INFINITY;
    worst.set(query, Math.max(latency, worst.get(query) ?? 0));
  }
  return Float64Array.from(worst.values()).filter(Number.isFinite);
}
