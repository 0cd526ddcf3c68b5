import type { Space } from '../../optimizers/search/index.js';
import type { LoadSpec, SystemSpec } from '../contract.js';

/** `tune:` of a scenario: what to choose, what for, and how to look. */
export interface TuneSpec {
  /** The author's configuration, to be beaten. */
  readonly author: SystemSpec;
  readonly space: Space;
  /** By point number; undefined where the point can't be served (an option that its strategy does not have). */
  readonly systems: readonly (SystemSpec | undefined)[];
  readonly load: LoadSpec;
  readonly transport: string;
  readonly objectives: readonly Objective[];
  readonly constraints: Constraints;
  readonly search: { readonly name: string; readonly options: Readonly<Record<string, unknown>> };
  /** Points of the search at most. */
  readonly budget: number;
  readonly mode: 'simulated-then-real' | 'simulated' | 'real';
  /** Best simulated points that are served for real. */
  readonly confirm: number;
  /** Pairs of the last comparison. */
  readonly repeats: number;
  readonly seed: bigint;
}

export interface Objective {
  readonly name: ObjectiveName;
  readonly direction: 'max' | 'min';
}

export type ObjectiveName = 'throughput' | 'p50Latency' | 'p99Latency' | 'cost' | 'cpuPerRequest' | 'accuracy';

export interface Constraints {
  readonly p50LatencyNs?: number | undefined;
  readonly p99LatencyNs?: number | undefined;
  readonly errorRate?: number | undefined;
  /** Share of right answers. */
  readonly accuracy?: number | undefined;
  /** Share of what the author's configuration reaches. */
  readonly relativeAccuracy?: number | undefined;
  readonly minThroughput?: number | undefined;
  readonly maxCost?: number | undefined;
}
