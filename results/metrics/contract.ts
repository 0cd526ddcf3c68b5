import type { RecordTable } from '../record.js';

/** Part of a trial's records: ok requests after warm-up. */
export interface Window {
  readonly records: RecordTable;
  /** Row numbers of the measured records, in order of due time. */
  readonly rows: Uint32Array;
  readonly durationNs: number;
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
