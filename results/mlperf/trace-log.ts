import type { RecordTable } from '../record.js';
import { answered } from './answered.js';
import type { MlperfTrial } from './settings.js';

/** A trace beyond this opens in no viewer. */
const TRACED = 100_000;

/**
 * `mlperf_log_trace.json` for chrome://tracing or Perfetto: each answered sample as an async span from its scheduled time to
 * its completion; server loads also as a counter of issue delay and service. Times in µs from t = 0.
 */
export function traceLog(trial: MlperfTrial, most = TRACED): string {
  const { settings, records, startedAt, writer, pid } = trial;
  const events: string[] = [];
  let samples = 0;
  for (const { row, sequence } of answered(records)) {
    if (++samples > most) continue;
    if (settings.scenario === 'Server') events.push(JSON.stringify(counter(records, row, pid)));
    events.push(...span(records, row, sequence, pid).map((event) => JSON.stringify(event)));
  }
  const other = { version: writer, startedAt, samplesLeftOut: Math.max(0, samples - most) };
  return `{"traceEvents":[\n${events.join(',\n')}\n],\n"displayTimeUnit":"ns",\n"otherData":${JSON.stringify(other)}}\n`;
}

function counter({ dueNs, issuedNs, completedNs }: RecordTable, row: number, pid: number) {
  return {
    ...{ name: 'Latency', ph: 'C', pid, ts: dueNs[row]! / 1e3 },
    args: {
      issue_delay: Math.round(issuedNs[row]! - dueNs[row]!),
      issue_to_done: Math.round(completedNs[row]! - issuedNs[row]!),
    },
  };
}

function span(records: RecordTable, row: number, sequence: number, pid: number) {
  const due = records.dueNs[row]!;
  const event = { name: 'Sample', cat: 'default', pid, id: sequence };
  const args = {
    sample_seq: sequence,
    query_seq: records.query[row]!,
    sample_idx: records.sampleIndex[row]!,
    issue_start_ns: Math.round(records.issuedNs[row]! - due),
    complete_ns: Math.round(records.completedNs[row]! - due),
  };
  return [
    { ...event, ph: 'b', ts: due / 1e3, args },
    { ...event, ph: 'e', ts: records.completedNs[row]! / 1e3 },
  ];
}
