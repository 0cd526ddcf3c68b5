/** The types of `summary.json`: what one trial measured and what it means. Absent is `null` with a reason, never 0. */

import type { GatewaySummary } from './gateway.js';
import type { LoadScheduling } from './scheduling.js';

export const SUMMARY_SCHEMA = 1;

/** A confidence interval; `level` 0.95 unless said. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  readonly level: number;
}

/** A percentile, or why it is no number: `n too small (needs 662)`. */
export type Quantile =
  | { readonly value: number; readonly interval?: Interval | undefined }
  | { readonly value: null; readonly reason: string };

/** Of values in ns unless named otherwise. */
export interface Distribution {
  readonly count: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly p50: Quantile;
  readonly p90: Quantile;
  readonly p95: Quantile;
  readonly p97: Quantile;
  readonly p99: Quantile;
  readonly p999: Quantile;
}

export interface Finding {
  /** The rule: `dispatch-lateness`, `sample-size`, `error-rate`, `clock`, `min-duration`, `early-stopping`, `target` … */
  readonly rule: string;
  /** `invalid` makes the trial INVALID; `warning` does not; `missed` is a target of the scenario that was not met. */
  readonly severity: 'invalid' | 'missed' | 'warning';
  /** What was seen and by how much it breaks the rule. */
  readonly message: string;
  /** What to change. */
  readonly advice: string;
}

export interface Verdict {
  readonly state: 'VALID' | 'INVALID';
  readonly findings: readonly Finding[];
}

export interface TrialIdentity {
  /** Unique in its run: `batching.half.rest-binary.r1`. */
  readonly id: string;
  readonly system: string;
  readonly load: string;
  /** MLPerf load types, `open`, `closed`, `probe`, `accuracy`. */
  readonly loadType: string;
  readonly transport: string;
  /** From 1. */
  readonly repeat: number;
  /** Position in the order of execution, from 0. */
  readonly order: number;
  /** True where virtual time produced it. */
  readonly simulated: boolean;
}

/** CPU seconds and memory of one process over the measured window. */
export interface ProcessUsage {
  /** `server`, `load`, `workers` … */
  readonly role: string;
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly rssPeakBytes: number | null;
  /** First and last resident set: flat or growing. */
  readonly rssFirstBytes: number | null;
  readonly rssLastBytes: number | null;
  /** Of the threads that lived to the end; null or absent where unknown. */
  /** Processes of this role that the figures are the sum of; absent: one. */
  readonly processes?: number | undefined;
  readonly contextSwitches?: { readonly voluntary: number; readonly involuntary: number } | null | undefined;
  /** Bytes and calls through the kernel's read and write, sockets included; null or absent where unknown. */
  readonly io?:
    | {
        readonly readBytes: number;
        readonly writeBytes: number;
        readonly readCalls: number;
        readonly writeCalls: number;
      }
    | null
    | undefined;
  readonly threadsPeak?: number | null | undefined;
}

/** One series of readings over the measured window (readings.ts). */
export interface ReadingSummary {
  readonly source: string;
  readonly subject: string;
  readonly metric: string;
  readonly unit: string;
  readonly kind: 'gauge' | 'counter';
  /** Readings with a value, and without one. */
  readonly count: number;
  readonly gaps: number;
  /** Of a gauge its mean, of a counter its growth a second. */
  readonly mean: number | null;
  /** Of gauges. */
  readonly min: number | null;
  readonly max: number | null;
  /** A counter's growth between the window's edges. */
  readonly total: number | null;
  /** Why there is no value. */
  readonly reason?: string | undefined;
}

/** What became of a monitor in a trial, and what it cost the process that ran it. */
export interface MonitorReport {
  readonly name: string;
  readonly state: 'ran' | 'absent' | 'failed';
  /** Why it did not run, or not to the end. */
  readonly reason?: string | undefined;
  readonly periodMs: number;
  /** Rounds of reading. */
  readonly rounds: number;
  /** CPU seconds of reading, programs that it started included; null where it can't be told. */
  readonly cpuSeconds: number | null;
  /** The time over which it ran. */
  readonly elapsedSeconds: number;
}

/** One part of an execution of a parallel runtime: its mean over the measured window's executions. */
export interface PartSummary {
  readonly name: string;
  readonly unit: 'ns' | 'bytes' | 'count';
  readonly executions: number;
  readonly mean: number;
}

/** Energy of a device over the measured window, by its own cumulative counter (METHOD.md). */
export interface EnergyUsage {
  /** `gpu0`. */
  readonly subject: string;
  /** Between the window's edges; null with a reason where the counter can't be read. */
  readonly joules: number | null;
  /** Power before the load, the server up and idle. */
  readonly idleWatts: number | null;
  /** Less what the idle device would have used. */
  readonly netJoules: number | null;
  /** `netJoules` over answered requests. */
  readonly joulesPerRequest: number | null;
  readonly reason?: string | undefined;
}

export interface ComponentSummary {
  /** `lateness`, `send`, `receive`, `queue`, `computeInput`, `computeInfer`, `computeOutput`, `serialise`, `network`, `download`, `residual` (components.ts). */
  readonly name: string;
  readonly latencyNs: Distribution;
  /** Mean over the slowest 1 %. */
  readonly tailMeanNs: number | null;
}

/** Requests of one tenant of a mixed load. */
export interface TenantSummary {
  readonly tenant: string;
  readonly offered: number;
  readonly ok: number;
  /** Issued and not ok. */
  readonly errors: number;
  readonly okPerSecond: number | null;
  readonly latencyNs: Distribution;
}

/** What a server with several models behind one did with the answered requests. */
export interface ServedSummary {
  /** Answered requests whose model was in memory, and those that waited for it to be loaded. */
  readonly warm: number;
  readonly cold: number;
  /** What the cold ones waited. */
  readonly loadNs: Distribution;
  /** Loads while the load ran, and their mean; null where the server does not tell. */
  readonly loads: { readonly count: number; readonly meanNs: number | null } | null;
  /** By number, from 1; empty where there was no choice. */
  readonly variants: readonly {
    readonly variant: number;
    readonly requests: number;
    readonly judged: number;
    readonly right: number;
    /** Share of the requests in each tenth of the time. */
    readonly shares: readonly number[];
    readonly p50Ns: number | null;
  }[];
  /** Right answers of the best variant's accuracy less those that were given, of the judged ones; null: nothing was judged. */
  readonly regret: number | null;
}

export interface TrialSummary {
  readonly schema: number;
  readonly trial: TrialIdentity;
  readonly startedAt: string;
  readonly durationNs: number;
  readonly counts: {
    /** Requests of the schedule in the measured window; warm-up is apart. */
    readonly offered: number;
    readonly issued: number;
    readonly ok: number;
    readonly rejected: number;
    readonly failed: number;
    readonly timedOut: number;
    readonly cancelled: number;
    readonly warmUp: number;
    /** Samples (rows) answered. */
    readonly samples: number;
  };
  /** error code → count */
  readonly errors: Readonly<Record<string, number>>;
  /** completed − due, of ok requests. */
  readonly latencyNs: Distribution;
  /** completed − issued. */
  readonly sendLatencyNs: Distribution;
  /** issued − due, of all issued. */
  readonly latenessNs: Distribution;
  readonly offeredPerSecond: number | null;
  readonly throughputPerSecond: number | null;
  readonly throughputInterval?: Interval | undefined;
  /** ok and within the target latency, per second; null without a target. */
  readonly goodputPerSecond: number | null;
  /** The load type's own metric (method.md §1). */
  readonly primary: {
    readonly name: string;
    readonly value: number | null;
    readonly unit: string;
    readonly reason?: string | undefined;
  };
  readonly components: readonly ComponentSummary[];
  /** Σ components / end-to-end, of sums over ok requests; null where the server sends no timings. */
  readonly closure: number | null;
  /** The same without `network`; absent in summaries that know none. */
  readonly closureWithoutNetwork?: number | null | undefined;
  /** Executions by size over the measured window. */
  readonly batches: readonly { readonly size: number; readonly count: number }[];
  /** What an execution was made of inside of a parallel runtime; absent elsewhere. */
  readonly parts?: readonly PartSummary[] | undefined;
  /** From the records' execution ids (exact), or the difference of the server's statistics; null where neither tells. */
  readonly batchesFrom?: 'records' | 'statistics' | null | undefined;
  readonly meanBatch: number | null;
  /**
   * How long instances computed for the answered requests, each execution counted once; null where nobody tells which
   * execution answered. Absent in older results.
   */
  readonly busyNs?: number | null | undefined;
  readonly processes: readonly ProcessUsage[];
  /** Of runs before there were readings: absent. */
  readonly readings?: readonly ReadingSummary[] | undefined;
  readonly monitors?: readonly MonitorReport[] | undefined;
  readonly energy?: readonly EnergyUsage[] | undefined;
  readonly accuracy: {
    readonly metric: string;
    readonly value: number;
    /** How many were right; null where the metric is no share. */
    readonly correct: number | null;
    readonly total: number;
    readonly interval: Interval;
  } | null;
  /** Null where there is no schedule; absent in summaries of older versions. */
  readonly arrivals?: ArrivalSummary | null | undefined;
  readonly backlog?: BacklogSummary | null | undefined;
  readonly inputs?: InputSummary | undefined;
  /** In the load's order; absent where it is not mixed. */
  readonly tenants?: readonly TenantSummary[] | undefined;
  /** Of a server that loads models on demand, or chooses among variants (served.ts). */
  readonly served?: ServedSummary | undefined;
  /** The load against the calibrated limit of its generator; `perSecond` null: why there is none. Absent in older results. */
  readonly roofline?:
    | { readonly perSecond: number; readonly usedPerSecond: number | null; readonly processes: number }
    | { readonly perSecond: null; readonly reason: string }
    | undefined;
  /** How the load's threads ran; absent in older results. */
  readonly loadScheduling?: LoadScheduling | undefined;
  /** Of a system behind a gateway. */
  readonly gateway?: GatewaySummary | undefined;
  readonly schedule: { readonly sha256: string; readonly arrivals: string | null; readonly seed: string | null };
  readonly verdict: Verdict;
}

/** The arrivals of a scheduled load, held against its schedule (arrival-law.ts). */
export interface ArrivalSummary {
  /** Jitter of a gap below this is no difference: the dispatch gate's own limit. */
  readonly toleranceNs: number;
  readonly due: ArrivalSide;
  readonly sent: ArrivalSide;
  /** As the server saw them; null with the reason where it does not tell. */
  readonly seen: ArrivalSide | null;
  readonly seenReason?: string | undefined;
}

export interface ArrivalSide {
  readonly count: number;
  /** Kolmogorov–Smirnov distance of the gaps from the schedule's, 0 … 1. */
  readonly gapDistance: number;
  /** Index of dispersion of counts; windows of which fewer than ten fit are left out. */
  readonly dispersion: readonly {
    readonly windowNs: number;
    readonly windows: number;
    readonly meanCount: number;
    readonly index: number;
  }[];
}

/** A trend with its 99 % interval. */
export interface Growth {
  readonly perSecond: number;
  readonly interval: Interval;
}

/** Whether a scheduled load outran the system (backlog.ts); the trends are those of the last half. */
export interface BacklogSummary {
  readonly outstandingPerSecond: Growth;
  /** Null where a slice of time had no answer. */
  readonly latencyNsPerSecond: Growth | null;
  readonly offeredPerSecond: number;
  readonly saturated: boolean;
  /** It grows from then on; null where it does not. */
  readonly sinceNs: number | null;
}

/** What was sent, and what came from a cache (inputs.ts). */
export interface InputSummary {
  /** Of the sample library, contents included. */
  readonly sha256: string | null;
  readonly requests: number;
  readonly distinct: number;
  /** Requests whose input had been sent before, warm-up included. */
  readonly repeated: number;
  /** Null where nobody tells. */
  readonly cacheHits: number | null;
  readonly cacheHitsFrom: 'records' | 'statistics' | null;
}

/** What became of a trial. A failed trial is a result; it never ends the run. */
export type TrialOutcome =
  | { readonly state: 'completed'; readonly summary: TrialSummary }
  | {
      readonly state: 'failed';
      readonly trial: TrialIdentity;
      readonly error: string;
      readonly lastLines: readonly string[];
    }
  | { readonly state: 'skipped'; readonly trial: TrialIdentity; readonly reason: string };
