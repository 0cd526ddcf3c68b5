import { canonicalDouble, FastRandom } from '../../results/stats/index.js';
import { type CostTable, costModel, instanceList, simulate, strategyContext } from '../../servers/executors/index.js';
import { createStrategy, type StrategyRequest } from '../../servers/strategies/index.js';
import type { Evaluation, Point, ResponseTable, Space } from './contract.js';
import { slopedMerit } from './merit.js';
import { pointAt, sizeOf, valuesOf } from './space.js';

/**
 * Synthetic models on a synthetic machine, each evaluated at every one of 720 configurations in virtual time: the ground on
 * which a search's claim ("30 of 720 points") can be tested, since the true optimum is known. Everything comes from a seed.
 */
export const TABLE_SPACE: Space = {
  dimensions: [
    { name: 'variant', values: ['fp32', 'int8', 'half'], ordered: false },
    { name: 'instances', values: [1, 2, 3, 4], ordered: true },
    { name: 'threads', values: [1, 2], ordered: true },
    { name: 'maxBatchSize', values: [1, 2, 4, 8, 16, 32], ordered: true },
    { name: 'maxQueueDelay', values: [0, 0.5e6, 1e6, 2e6, 5e6], ordered: true },
  ],
};

/** A model as its operators: what an operator profile shows. */
export interface SyntheticModel {
  readonly name: string;
  readonly operators: readonly {
    /** ns an execution: weights are read once. */
    readonly fixedNs: number;
    /** ns a row. */
    readonly rowNs: number;
    /** Share that a second thread takes over, 0 … 1. */
    readonly parallel: number;
    /** Duration factor of int8. */
    readonly int8: number;
  }[];
  /** Slow-down of each instance for every other one: memory bandwidth is shared. */
  readonly contention: number;
  /** Share of the reference's accuracy that each variant keeps. */
  readonly accuracy: { readonly fp32: number; readonly int8: number; readonly half: number };
  readonly p99BoundNs: number;
  /** In a closed loop. */
  readonly clients: number;
}

const CORES = 4;
const REQUESTS = 1200;
const ACCURACY_GATE = 0.99;

/** A model drawn from a seed: 6 to 20 operators, between weight-bound (batching wins) and row-bound (it does not). */
export function syntheticModel(seed: number): SyntheticModel {
  const random = new FastRandom(BigInt(seed) + 0x5e7n);
  const between = (low: number, high: number) => low + (high - low) * canonicalDouble(random);
  const weightBound = canonicalDouble(random);
  const operators = Array.from({ length: Math.floor(between(6, 21)) }, () => ({
    fixedNs: Math.round(between(10e3, 40e3) * (0.2 + 1.8 * weightBound)),
    rowNs: Math.round(between(4e3, 20e3) * (1.6 - weightBound)),
    parallel: between(0.1, 0.95),
    int8: between(0.3, 1.05),
  }));
  const model = {
    name: `synthetic-${seed}`,
    operators,
    contention: between(0.02, 0.3),
    accuracy: { fp32: 1, int8: between(0.982, 1), half: between(0.975, 1.0005) },
  };
  const clients = Math.round(between(6, 48));
  const alone = costOf(model, 'fp32', 1, 1);
  return { ...model, clients, p99BoundNs: Math.round(alone * between(0.4, 1.2) * clients) };
}

/** ns of one execution of so many rows with nobody else on the machine. */
function costOf(model: Pick<SyntheticModel, 'operators'>, variant: string, threads: number, rows: number): number {
  return model.operators.reduce((sum, { fixedNs, rowNs, parallel, int8 }) => {
    const alone = fixedNs * (variant === 'half' ? 0.5 : 1) + rowNs * rows * (variant === 'half' ? 0.55 : 1);
    const threaded = threads === 1 ? alone : alone * (1 - parallel + parallel / threads) + 1500;
    return sum + threaded * (variant === 'int8' ? int8 : 1);
  }, 0);
}

/**
 * What the profile of its operators says without serving anything: rows a second of full batches on all instances that have
 * a core; it knows nothing of queueing, delays, bandwidth or bounds.
 */
export function profileEstimate(model: SyntheticModel, space: Space, point: Point): number {
  const { variant, instances, threads, maxBatchSize } = readPoint(space, point);
  const usable = Math.min(instances, CORES / threads);
  return (usable * maxBatchSize * 1e9) / costOf(model, variant, threads, maxBatchSize);
}

/** Served in virtual time: its clients in a closed loop on triton-dynamic. Objectives: throughput, −cores. */
function evaluateSynthetic(model: SyntheticModel, space: Space, point: Point): Evaluation {
  const { variant, instances, threads, maxBatchSize, maxQueueDelay } = readPoint(space, point);
  const crowd = Math.max(1, (instances * threads) / CORES) * (1 + model.contention * (instances - 1));
  const cost: CostTable = [1, 2, 4, 8, 16, 32].map((rows) => [
    rows,
    Math.round(costOf(model, variant, threads, rows) * crowd),
  ]);
  const { throughput, p99Ns } = closedLoop(cost, model.clients, instances, { maxBatchSize, maxQueueDelay });
  return {
    state: 'measured',
    objectives: [throughput, -instances * threads],
    excess: [p99Ns / model.p99BoundNs - 1, ACCURACY_GATE / model.accuracy[variant] - 1],
  };
}

/** Every point of the space, by number. */
export function responseTable(model: SyntheticModel, space: Space = TABLE_SPACE): Evaluation[] {
  return Array.from({ length: sizeOf(space) }, (_, number) => evaluateSynthetic(model, space, pointAt(space, number)));
}

/** A table as what a transferring search is given. */
export function priorOf(name: string, table: readonly Evaluation[]): ResponseTable {
  return { name, values: Float64Array.from(table, slopedMerit) };
}

interface Choice {
  readonly variant: 'fp32' | 'int8' | 'half';
  readonly instances: number;
  readonly threads: number;
  readonly maxBatchSize: number;
  readonly maxQueueDelay: number;
}

function readPoint(space: Space, point: Point): Choice {
  return valuesOf(space, point) as unknown as Choice;
}

function closedLoop(
  cost: CostTable,
  clientCount: number,
  count: number,
  options: { readonly maxBatchSize: number; readonly maxQueueDelay: number },
): { readonly throughput: number; readonly p99Ns: number } {
  const instances = instanceList(count);
  const costs = costModel(instances, { cost });
  const strategy = createStrategy('triton-dynamic', options, strategyContext(instances, costs));
  const clients = new Clients(clientCount);
  const latencies = new Float64Array(REQUESTS);
  let answered = 0;
  const totals = simulate(
    { strategy, instances, durationOf: costs.durationOf, requests: clients },
    {
      answered(request, at) {
        latencies[answered++] = at - request.at;
        clients.answered(at);
      },
    },
  );
  const sorted = latencies.subarray(0, answered).sort();
  return { throughput: (answered * 1e9) / totals.lastEndNs, p99Ns: sorted[Math.floor(answered * 0.99)]! };
}

/** Each client asks again as soon as it is answered. */
class Clients {
  next = 0;
  #issued = 0;
  #ready: number;
  #now = 0;

  constructor(count: number) {
    this.#ready = count;
  }

  take(): StrategyRequest {
    this.#ready--;
    const request = { id: String(this.#issued++), at: this.next, rows: 1 };
    this.#look();
    return request;
  }

  answered(now: number): void {
    this.#now = now;
    this.#ready++;
    this.#look();
  }

  #look(): void {
    this.next = this.#ready > 0 && this.#issued < REQUESTS ? this.#now : Number.POSITIVE_INFINITY;
  }
}
