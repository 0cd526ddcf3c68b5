import type { RecordTable } from '../record.js';

/** The measured part of a trial's records: after warm-up. */
export interface Window {
  readonly records: RecordTable;
  /** Row numbers of the ok requests, in order of due time. */
  readonly rows: Uint32Array;
  /** Row numbers of every request, whatever became of it, in order of due time. */
  readonly measured: Uint32Array;
  /** From t = 0 to the last completion. */
  readonly durationNs: number;
  /** Due times were drawn beforehand and spread over time (not: closed loops, offline). */
  readonly scheduled: boolean;
  /** Completed − due of the ok requests, ascending; per query where a query has several samples (multi-stream). */
  readonly sortedLatencyNs: Float64Array;
  /** Targets of the scenario. */
  readonly p99LatencyNs?: number | undefined;
}

export interface MetricValue {
  readonly value: number | null;
  readonly unit: string;
  readonly reason?: string | undefined;
}

/** A number with a unit computed from records. One file, one line in the registry. */
export interface MetricDefinition {
  readonly name: string;
  readonly summary: string;
  readonly compute: (window: Window) => MetricValue;
}

/** Why a metric has no value; the unit stays. */
export function absent(unit: string, reason: string): MetricValue {
  return { value: null, unit, reason };
}
