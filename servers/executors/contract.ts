import type {
  Action,
  Execute,
  InstanceInfo,
  Nanos,
  ResponseSource,
  Strategy,
  StrategyRequest,
} from '../strategies/index.js';

/** Points `[rows, ns]`, rows ascending; see `costOf` in cost.ts for the interpolation. */
export type CostTable = readonly (readonly [rows: number, ns: Nanos])[];

/** One virtual run of a strategy. */
export interface SimulationCase {
  readonly strategy: Strategy;
  readonly instances: readonly InstanceInfo[];
  /** Duration of an execution, speed included: integer ns ≥ 1. */
  durationOf(execution: Execute, now: Nanos): Nanos;
  /** Sorted by `at`, or a source whose next arrival may depend on what was answered (closed loops). */
  readonly requests: Iterable<StrategyRequest> | ArrivalSource;
  readonly until?: Nanos | undefined;
}

/** Arrivals that are decided while the run goes on. */
export interface ArrivalSource {
  /** When the next request arrives, not before the current instant; Infinity while none is to come. */
  readonly next: Nanos;
  /** The request that arrives at `next`. */
  take(): StrategyRequest;
}

/** Who wants to know what happens; every method is optional so that a lean run pays only for what it uses. */
export interface SimulationSink {
  started?(execution: Execute, start: Nanos, end: Nanos): void;
  ended?(execution: Execute, start: Nanos, end: Nanos, killed: boolean): void;
  answered?(request: StrategyRequest, at: Nanos, source: ResponseSource, explicit: boolean): void;
  rejected?(request: StrategyRequest, at: Nanos, reason: string): void;
  scaled?(replicas: number, at: Nanos): void;
  other?(action: Action, at: Nanos): void;
}

export interface SimulationTotals {
  readonly events: number;
  readonly offered: number;
  readonly answered: number;
  readonly rejected: number;
  readonly executions: number;
  readonly rows: number;
  readonly lastEndNs: Nanos;
}
