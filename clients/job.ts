import type { LoadScheduling } from '../results/scheduling.js';
import type { ProcessingSpec } from '../servers/processing/index.js';
import type { ModelMetadata, RequestGraph } from '../servers/protocol/index.js';
import type { Share } from './share.js';

/** What a load process is told, and what it tells: plain data, so that it crosses a process boundary as JSON. */

/** 64-bit integers as decimal text. `library`: MLPerf's seed of the sample library, under its presets. */
export interface LoadSeeds {
  readonly schedule: string;
  readonly samples: string;
  readonly library?: string | undefined;
}

export interface DriveJob {
  readonly transport: string;
  readonly url: string;
  readonly model: string;
  readonly connections: number;
  readonly timeoutNs: number;
  readonly load: {
    readonly type: string;
    readonly options: Readonly<Record<string, unknown>>;
    readonly preset: 'quick' | 'mlperf' | 'mlperf-short';
  };
  readonly samples: {
    readonly name: string;
    readonly directory?: string | undefined;
    readonly count?: number | undefined;
    readonly dims?: Readonly<Record<string, readonly number[]>> | undefined;
    /** The library's first samples are for passes: no load sees them. */
    readonly forPasses?: number | undefined;
  };
  readonly seeds: LoadSeeds;
  readonly warmUpNs: number;
  /** `performance`, or `accuracy`: each sample once, answers judged against labels. */
  readonly mode: 'performance' | 'accuracy';
  /** How answers are judged (results/accuracy); default: `top-1`. */
  readonly metric?: string | undefined;
  /** Outputs of the reference for the same samples (`.f32` rows), for metrics that compare with them. */
  readonly referencePath?: string | undefined;
  /** What the load process does before it sends and after it was answered; absent: nothing. */
  readonly processing?: ProcessingSpec | undefined;
  /** Also judge answers while measuring performance (costs the decoding). */
  readonly judge: boolean;
  /** Send each sample's label with its request (parameter `label`), for a server that learns from it after the answer. */
  readonly labels?: boolean | undefined;
  /** Judge only this share of them, evenly; absent: all. */
  readonly judgedShare?: number | undefined;
  /** Where to write the outputs of each sample (`.f32` rows) for agreement tests; only in accuracy mode. */
  readonly outputsPath?: string | undefined;
  /** Where the Arrow file of the records goes; the folder exists. */
  readonly recordsPath: string;
  /** The client walks through this graph itself, over the network, in place of each single request. */
  readonly chain?: RequestGraph | undefined;
  /** The model's interface, where the server need not be asked. */
  readonly metadata?: ModelMetadata | undefined;
  /** How the sending threads are to run, as far as the kernel grants it (scheduling.ts); absent: as they do. */
  readonly scheduling?: LoadScheduling | undefined;
  /** Where the schedule goes (Float64 ns, little-endian); absent: hash only. */
  readonly schedulePath?: string | undefined;
  /** Progress counts completions against it (`bound`), for who ends a load as soon as it is clear. */
  readonly latencyBoundNs?: number | undefined;
  /** One of several load processes: which share of the plan it sends (share.ts). Absent: all of it. */
  readonly share?: Share | undefined;
}

/** At most 10 a second. */
export interface DriveProgress {
  readonly kind: 'progress';
  readonly phase: 'preparing' | 'warming-up' | 'measuring' | 'draining';
  /** 0…1 of the measured phase. */
  readonly fraction: number;
  readonly issued: number;
  readonly completed: number;
  readonly errors: number;
  /** Of the last second. */
  readonly ratePerSecond: number;
  readonly p99Ns: number | null;
  /** Ok latencies of the last second, within 9 %; absent where nothing was answered in it. */
  readonly recent?: RecentLatency | undefined;
  /** Completions since the phase began against the job's `latencyBoundNs`: over it or not answered, Σ and Σ² of latencies. */
  readonly bound?: { readonly over: number; readonly sumMs: number; readonly squaresMs: number } | undefined;
}

export interface RecentLatency {
  readonly p50Ns: number;
  readonly p90Ns: number;
  readonly p99Ns: number;
}

export interface DriveResult {
  readonly kind: 'result';
  /** Wall clock of t = 0, ISO. */
  readonly startedAt: string;
  /** From t = 0 to the last completion. */
  readonly durationNs: number;
  /** Length of the schedule's own time (last due), or of the closed loop. */
  readonly scheduledNs: number;
  readonly offered: number;
  readonly scheduleSha256: string;
  readonly samplesSha256: string;
  readonly library: {
    readonly name: string;
    readonly totalSampleCount: number;
    readonly performanceSampleCount: number;
  };
  readonly arrivals: string | null;
  /** (wall − monotonic) / monotonic over the window. */
  readonly clockDrift: number;
  /** It ended before its minima, and why: `outstanding cap`, `interrupted`. */
  readonly stoppedEarly: string | null;
  /** CPU of the load process over the measured window, all its threads; of several processes the sum. */
  readonly cpu: { readonly userSeconds: number; readonly systemSeconds: number };
  /** Bytes of the tensors of one request. */
  readonly requestBytes?: number | undefined;
  /** How the sending threads ran; absent: as all do. */
  readonly scheduling?: LoadScheduling | undefined;
  /** Load processes; absent: one. */
  readonly processes?: number | undefined;
}
