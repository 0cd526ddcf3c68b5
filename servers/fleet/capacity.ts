import { costOf } from '../executors/cost.js';
import type { CostTable } from '../executors/index.js';
import type { Nanos } from '../strategies/index.js';
import { type FleetResult, simulateFleet } from './fleet.js';
import type { PickerName } from './pick.js';

/** A strategy with its options, as one way of serving. */
export interface Candidate {
  readonly strategy: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** The most rows it puts into one execution. */
  readonly maxRows: number;
}

export interface CapacityQuestion {
  readonly cost: CostTable;
  readonly ratePerSecond: number;
  readonly objective: { readonly percentile: number; readonly ns: Nanos };
  /** A new generator of gaps at this rate, the same numbers each time. */
  readonly gaps: () => () => Nanos;
  readonly picker: PickerName;
  readonly instances: number;
  readonly maxReplicas: number;
  /** Requests of each simulated run. */
  readonly requests: number;
  readonly seed: bigint;
}

/** What a candidate needs. */
export interface CapacityAnswer {
  readonly candidate: Candidate;
  /** null: not even the most replicas allowed keep the objective. */
  readonly replicas: number | null;
  /** At that number of replicas. */
  readonly latencyNs: number | null;
  readonly utilization: number | null;
  readonly meanBatch: number | null;
  /** With one replica fewer; null where there is none. */
  readonly oneFewerNs: number | null;
  readonly runs: number;
}

/**
 * The fewest replicas with which the percentile stays within the objective and nothing is rejected, by bisection between what
 * full batches would need and what is allowed; every number tried is a simulated fleet under the same arrivals.
 */
export function fewestReplicas(question: CapacityQuestion, candidate: Candidate): CapacityAnswer {
  const tried = new Map<number, FleetResult>();
  const at = (replicas: number): FleetResult => {
    const known = tried.get(replicas) ?? runWith(question, candidate, replicas);
    tried.set(replicas, known);
    return known;
  };
  const keeps = (replicas: number) => isKept(at(replicas), question);
  let low = Math.max(0, Math.min(question.maxReplicas, lowerBound(question, candidate)) - 1);
  let high = low + 1;
  while (high < question.maxReplicas && !keeps(high)) {
    low = high;
    high = Math.min(question.maxReplicas, Math.ceil(high * 1.5));
  }
  if (!keeps(high)) return notFound(candidate, tried.size);
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (keeps(middle)) high = middle;
    else low = middle;
  }
  const result = at(high);
  return {
    candidate,
    replicas: high,
    latencyNs: result.latency.percentile(question.objective.percentile),
    utilization: result.busyNs / (result.endNs * high * question.instances),
    meanBatch: result.executions > 0 ? result.rows / result.executions : null,
    oneFewerNs: high > 1 ? at(high - 1).latency.percentile(question.objective.percentile) : null,
    runs: tried.size,
  };
}

/** How much the answer depends on the cost table: what is needed, and what the planned fleet does, if all costs are so many times theirs. */
export interface Sensitivity {
  readonly factor: number;
  readonly replicas: number | null;
  /** Of the planned number of replicas. */
  readonly plannedLatencyNs: number;
  readonly plannedKeeps: boolean;
}

export function sensitivityOf(
  question: CapacityQuestion,
  candidate: Candidate,
  planned: number,
  factors: readonly number[],
): Sensitivity[] {
  return factors.map((factor) => {
    const cost: CostTable = question.cost.map(([rows, ns]) => [rows, Math.max(1, Math.round(ns * factor))]);
    const changed = { ...question, cost };
    const result = runWith(changed, candidate, planned);
    return {
      factor,
      replicas: fewestReplicas(changed, candidate).replicas,
      plannedLatencyNs: result.latency.percentile(question.objective.percentile),
      plannedKeeps: isKept(result, question),
    };
  });
}

function runWith(question: CapacityQuestion, candidate: Candidate, replicas: number): FleetResult {
  const { cost, gaps, picker, instances, requests, objective, seed } = question;
  return simulateFleet({
    strategy: { name: candidate.strategy, options: candidate.options },
    cost,
    replicas: { initial: replicas, max: replicas, startUpNs: 0, instances },
    picker,
    nextGapNs: gaps(),
    durationNs: Number.POSITIVE_INFINITY,
    maxRequests: requests,
    objectiveNs: objective.ns,
    seed,
  });
}

/** A fleet that keeps up ends soon after its last arrival; one that does not shows it in its percentile all the same. */
function isKept({ latency, rejected }: FleetResult, { objective }: CapacityQuestion): boolean {
  return rejected === 0 && latency.percentile(objective.percentile) <= objective.ns;
}

/** Replicas that full batches without a pause would need. */
function lowerBound({ cost, ratePerSecond, instances }: CapacityQuestion, { maxRows }: Candidate): number {
  const rows = Math.min(maxRows, cost.at(-1)![0]);
  const best = Math.max(...Array.from({ length: rows }, (_, k) => (k + 1) / costOf(cost, k + 1)));
  return Math.max(1, Math.ceil(ratePerSecond / (best * 1e9 * instances)));
}

function notFound(candidate: Candidate, runs: number): CapacityAnswer {
  return { candidate, replicas: null, latencyNs: null, utilization: null, meanBatch: null, oneFewerNs: null, runs };
}
