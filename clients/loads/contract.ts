import type { z } from 'zod';
import type { Mix } from './mix.js';

/** One request of a session. */
export interface SessionStep {
  readonly name: string;
  /** Numbers of steps that must have been answered. */
  readonly after: readonly number[];
  /** From the last of those answers to its due time. */
  readonly thinkNs: number;
}

/** Sessions of dependent requests, all of the same steps. */
export interface Sessions {
  readonly steps: readonly SessionStep[];
  /** Each is a sequence to the server. */
  readonly sequence: boolean;
  /** Of one of several load processes: the number of its first sequence outside the plan (warm-up), which no other gives. */
  readonly singlesFrom?: number | undefined;
}

/** One who always has so many requests of one kind (from 1) in flight. */
export interface ClosedClient {
  readonly kind: number;
  readonly concurrency: number;
}

/**
 * What a load will do, complete before the first request. Requests are numbered in order of due time; warm-up is not part
 * of it (drive.ts sends it before t = 0).
 */
export type LoadPlan =
  | {
      readonly mode: 'open';
      /** Ascending ns from t = 0; one entry a request. */
      readonly dueNs: Float64Array;
      readonly sampleIndex: Uint32Array;
      /** Requests of one query share a number. */
      readonly query: Uint32Array;
      /** At most so many in flight; what it holds back shows as lateness. */
      readonly cap: number;
      /** True where lateness is no fault: offline is one query at 0 that the transport's concurrency works off. */
      readonly latenessExpected: boolean;
      /** Name of the arrival process, where there is one. */
      readonly arrivals?: string | undefined;
      /** One entry a request; absent: all are of one kind. */
      readonly mix?: Mix | undefined;
      /**
       * Requests depend on each other: request k is step k mod S of session ⌊k / S⌋, and `dueNs` is the soonest, not ascending.
       */
      readonly sessions?: Sessions | undefined;
      /**
       * Clients beside the open ones, each of whom asks again when answered, until `durationNs`. `sampleIndex` and `mix` go on
       * for them beyond the last of `dueNs`, in the order of their requests.
       */
      readonly closed?: { readonly clients: readonly ClosedClient[]; readonly durationNs: number } | undefined;
    }
  | {
      readonly mode: 'closed';
      readonly concurrency: number;
      /** Requests a query (multi-stream: 8): issued together, the next query when all have completed. */
      readonly perQuery: number;
      /** Index of the n-th request; cycles where the run outlasts it. */
      readonly sampleIndex: Uint32Array;
      /** One entry an index; absent: all requests are of one kind. */
      readonly mix?: Mix | undefined;
      /** The end: both minima are met, or a maximum is reached. */
      readonly minDurationNs: number;
      readonly minQueries: number;
      readonly maxDurationNs: number;
      readonly maxQueries: number;
    };

export interface LoadContext {
  /** 64-bit seeds. */
  readonly scheduleSeed: bigint;
  readonly sampleSeed: bigint;
  /** MLPerf's seed of the sample library: samples are then drawn as LoadGen draws them (draw.ts). */
  readonly librarySeed?: bigint | undefined;
  readonly totalSampleCount: number;
  readonly performanceSampleCount: number;
  /** Preset: MLPerf's minima (`mlperf`) or short runs (`quick`). */
  readonly preset: 'quick' | 'mlperf' | 'mlperf-short';
}

/** A way of driving a system. One file, one line in the registry. */
export interface LoadDefinition<Options extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly summary: string;
  readonly options: Options;
  /** Mean offered rate where the load has one (`rate` may have been relative to a system's capacity; it is absolute here). */
  plan(options: z.output<Options>, context: LoadContext): LoadPlan;
  /** Requests in flight at most (queries, where they have several): it can be dealt out to so many load processes. Absent: any. */
  inFlight?(options: z.output<Options>): number;
  /** The percentile the load's own rule judges, and its metric's name (method.md §1). */
  readonly primary: {
    readonly metric: 'p90Latency' | 'p99Latency' | 'throughput' | 'targetRate';
    readonly percentile: number | null;
  };
}

export function defineLoad<Options extends z.ZodType>(definition: LoadDefinition<Options>): LoadDefinition<Options> {
  return definition;
}
