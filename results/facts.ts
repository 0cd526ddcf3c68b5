import type { Roofline } from './calibration.js';
import type { GatewayFacts } from './gateway.js';
import type { Readings } from './readings.js';
import type { RecordTable } from './record.js';
import type { LoadScheduling } from './scheduling.js';
import type { MonitorReport, ProcessUsage, TrialIdentity } from './summary.js';

/** What a trial was asked to do and what its processes told: everything a summary is made from, as plain data. */
export interface TrialFacts {
  readonly identity: TrialIdentity;
  readonly records: RecordTable;
  readonly drive: DriveFacts;
  readonly load: LoadFacts;
  /** The server's counters around the measured window; undefined where it has none. */
  readonly statistics?: { readonly before: ServerCounters; readonly after: ServerCounters } | undefined;
  /** From the monitors; the load process is added from `drive.cpu` where it is not among them. */
  readonly processes: readonly ProcessUsage[];
  /** What the monitors read, t = 0 being the load's; absent where none ran. */
  readonly readings?: Readings | undefined;
  readonly monitors?: readonly MonitorReport[] | undefined;
  readonly targets: Targets;
  /** Seed of the bootstrap intervals. */
  readonly seed: bigint;
  /** As text, for the report. */
  readonly scheduleSeed: string | null;
  /** What the load processes manage on this host; absent where nobody looked. */
  readonly roofline?: Roofline | undefined;
  /** Of a system behind a gateway. */
  readonly gateway?: GatewayFacts | undefined;
  /** Name of what `correct` judges; default `top-1`. */
  readonly accuracyMetric?: string | undefined;
}

/** The scenario's targets. */
export interface Targets {
  readonly p99LatencyNs?: number | undefined;
  /** Share of issued requests, 0 … 1. */
  readonly errorRate?: number | undefined;
  /** Share of right answers, 0 … 1. */
  readonly accuracy?: number | undefined;
  /** Of another system's accuracy, over the same transport; `reference` absent or null where that is not known. */
  readonly relativeAccuracy?:
    | { readonly share: number; readonly system: string; readonly reference?: number | null | undefined }
    | undefined;
}

/** How the load is to be judged: a load type's rules as data, so that no judge switches on its name. */
export interface LoadFacts {
  /** The metric of the type and the percentile that its own rule judges. */
  readonly primary: {
    readonly metric: 'p90Latency' | 'p99Latency' | 'throughput' | 'targetRate';
    readonly percentile: number | null;
  };
  /** Due times were drawn beforehand and are spread over time. False: closed loops, offline. */
  readonly scheduled: boolean;
  /** Everything is due at once and worked off (offline): waiting is the measurement, not a fault. */
  readonly latenessExpected: boolean;
  /** A query has several samples and is as slow as the slowest of them (multi-stream). */
  readonly perQuery: boolean;
  /** The rate asked for; null in closed loops and offline. */
  readonly ratePerSecond: number | null;
  /** The type's own constraint, `percentile ≤ bound` (server); null where it has none. */
  readonly latencyBoundNs: number | null;
  /** 0 = no minimum. */
  readonly minDurationNs: number;
  /** Queries; of offline its samples. 0 = no minimum. */
  readonly minQueries: number;
  /** Requests that may be in flight; Infinity or null = any number. */
  readonly cap: number | null;
}

/** What the load process tells of a drive; a part of its result. */
export interface DriveFacts {
  /** Wall clock of t = 0, ISO. */
  readonly startedAt: string;
  /** From t = 0 to the last completion. */
  readonly durationNs: number;
  readonly offered: number;
  readonly scheduleSha256: string;
  /** Of all inputs; absent where nobody told. */
  readonly samplesSha256?: string | undefined;
  readonly arrivals: string | null;
  /** (wall − monotonic) / monotonic over the window. */
  readonly clockDrift: number;
  /** It ended before its minima, and why. */
  readonly stoppedEarly: string | null;
  readonly cpu: { readonly userSeconds: number; readonly systemSeconds: number };
  /** How its threads ran; absent where nobody told. */
  readonly scheduling?: LoadScheduling | undefined;
  /** Load processes that shared the load; absent: one. */
  readonly processes?: number | undefined;
  /** Bytes of the tensors of one request; absent in older results. */
  readonly requestBytes?: number | undefined;
}

/** The part of the statistics extension that tells batches and cache hits; spelt as on the wire. */
export interface ServerCounters {
  readonly inference_stats?: { readonly cache_hit?: { readonly count: number } } | undefined;
  readonly batch_stats: readonly { readonly batch_size: number; readonly compute_infer: { readonly count: number } }[];
  /** Of servers that load models while they run. */
  readonly servemark_loads?: { readonly count: number; readonly ns: number } | undefined;
  /** Of parallel runtimes. */
  readonly servemark_parts?:
    | readonly {
        readonly name: string;
        readonly unit: 'ns' | 'bytes' | 'count';
        readonly count: number;
        readonly total: number;
      }[]
    | undefined;
}
