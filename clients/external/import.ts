import { OUTCOMES, RecordTable } from '../../results/record.js';
import { ascending, percentile } from '../../results/stats/index.js';
import type { ToolOutput, ToolRequest } from './contract.js';

/** In the metadata of an imported Arrow file: none of the tools records when a request was due. */
export const SEND_BASIS = { 'latency.basis': 'send' } as const;

/**
 * A tool's requests as our records, in order of sending, t = 0 at the first. Due times are unknown: `dueNs` repeats
 * `issuedNs`, so that every latency counts from the send and lateness is 0; the file's metadata says so (SEND_BASIS).
 */
export function importRequests(requests: readonly ToolRequest[]): RecordTable {
  const inOrder = [...requests].sort((a, b) => a.sentNs - b.sentNs);
  const origin = inOrder[0]?.sentNs ?? 0;
  const table = new RecordTable(inOrder.length);
  table.length = inOrder.length;
  inOrder.forEach(({ sentNs, latencyNs, error }, row) => {
    table.sequence[row] = row;
    table.query[row] = row;
    table.rows[row] = 1;
    table.dueNs[row] = sentNs - origin;
    table.issuedNs[row] = sentNs - origin;
    table.completedNs[row] = sentNs - origin + latencyNs;
    table.outcome[row] = OUTCOMES.indexOf(error === '' ? 'ok' : 'failed');
    if (error !== '') table.error[row] = table.errorNumber(error);
  });
  return table;
}

/** The figures that every generator has, ours included, computed alike. null: it does not keep it. */
export interface Figures {
  readonly completed: number;
  readonly errors: number;
  readonly dropped: number;
  /** Sent, per second. */
  readonly ratePerSecond: number | null;
  readonly latencyNs: Readonly<Record<'p50' | 'p95' | 'p99' | 'max', number | null>>;
}

export function figuresOf(output: ToolOutput): Figures {
  if (output.kind === 'requests')
    return { ...figuresOfRecords(importRequests(output.requests)), dropped: output.dropped };
  const { completed, errors, durationNs, latencyNs } = output;
  const ratePerSecond = durationNs > 0 ? ((completed + errors) / durationNs) * 1e9 : null;
  return { completed, errors, dropped: 0, ratePerSecond, latencyNs };
}

/** Of the measured rows; latencies of those that were answered well, from the due time. */
export function figuresOfRecords(table: RecordTable): Figures {
  const rows = Array.from({ length: table.length }, (_, row) => row).filter((row) => table.warmUp[row] === 0);
  const ok = rows.filter((row) => table.outcome[row] === OK);
  const latencies = ascending(ok.map((row) => table.completedNs[row]! - table.dueNs[row]!));
  const sent = ascending(rows.map((row) => table.issuedNs[row]!));
  const span = (sent.at(-1) ?? 0) - (sent[0] ?? 0);
  const value = (p: number) => (latencies.length > 0 ? percentile(latencies, p) : null);
  return {
    completed: ok.length,
    errors: rows.length - ok.length,
    dropped: 0,
    ratePerSecond: span > 0 ? ((sent.length - 1) / span) * 1e9 : null,
    latencyNs: { p50: value(0.5), p95: value(0.95), p99: value(0.99), max: latencies.at(-1) ?? null },
  };
}

const OK = OUTCOMES.indexOf('ok');
