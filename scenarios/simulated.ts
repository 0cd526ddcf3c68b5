import type { LoadPlan } from '../clients/loads/index.js';
import { OUTCOMES, RecordTable } from '../results/record.js';
import { FastRandom } from '../results/stats/index.js';
import type { CostTable, SimulationCase } from '../servers/executors/index.js';
import { costModel, instanceList, simulate, strategyContext } from '../servers/executors/index.js';
import type { Execute, Nanos, StrategyRequest } from '../servers/strategies/index.js';
import { createStrategy } from '../servers/strategies/index.js';
import type { SystemSpec } from './contract.js';
import { NO_OVERHEAD, Replay, type ServedOverhead } from './overhead.js';
import { SimulatedLoad, type SimulatedRequest } from './simulated-load.js';

/** A load in virtual time has no end of its own where it is open and the system is overloaded; this bounds it. */
const LIMIT_NS = 3600e9;
const MAX_REQUESTS = 5_000_000;

/** A model that shares the instances of the system's own. */
export interface SimulatedModel {
  readonly name: string;
  readonly cost: CostTable;
  readonly stages: number;
}

export interface SimulatedTrial {
  readonly records: RecordTable;
  readonly durationNs: number;
  readonly scheduledNs: number;
  readonly executions: number;
  /** Executions by their rows. */
  readonly batches: ReadonlyMap<number, number>;
}

/**
 * The same strategy object under the same load plan, in virtual time over a cost table: the same records as a real trial.
 * Client, wire and server threads are no actors here; what a probe measured of them is added, moment by moment. The strategy
 * plans with the table as it is.
 */
export function simulateTrial(
  system: SystemSpec,
  plan: LoadPlan,
  table: CostTable,
  overhead: ServedOverhead = NO_OVERHEAD,
  sharing: readonly SimulatedModel[] = [],
): SimulatedTrial {
  const source = new SimulatedLoad(plan);
  const instances = instanceList(system.instances);
  const costs = costModel(instances, { cost: table, costs: costsOf(sharing, 0) });
  const served = costModel(instances, {
    cost: later(table, overhead.executionNs),
    costs: costsOf(sharing, overhead.executionNs),
  });
  const stages = new Map(sharing.map((model) => [model.name, model.stages]));
  const strategy = createStrategy(system.strategy.name, system.strategy.options, {
    ...strategyContext(instances, costs),
    // Its own model is cut as the strategy plans: planning has seen to that, and virtual time needs no file.
    ...(sharing.length > 0 && { stagesOf: (model = '') => stages.get(model) ?? Number.POSITIVE_INFINITY }),
  });
  const recorder = new Recorder(plan.mode === 'open' && !plan.closed ? plan.dueNs.length : 4096, plan.sampleIndex);
  const underWay = wayOf(overhead, shareOf(plan, overhead));
  const totals = simulate(
    {
      strategy,
      instances,
      durationOf: varied(served.durationOf, new Replay(overhead.course)),
      requests: source,
      until: LIMIT_NS,
    },
    {
      started: (execution, start, end) => recorder.started(execution, start, end),
      answered: (request, at) => {
        const knownAt = at + underWay(at);
        recorder.answered(request as SimulatedRequest, at, knownAt);
        source.completed(request as SimulatedRequest, at, false, knownAt);
      },
      rejected: (request, at, reason) => {
        const knownAt = at + underWay(at);
        recorder.rejected(request as SimulatedRequest, at, knownAt, reason);
        source.completed(request as SimulatedRequest, at, true, knownAt);
      },
    },
  );
  const last = plan.mode === 'open' && !plan.closed ? (plan.dueNs[plan.dueNs.length - 1] ?? 0) : totals.lastEndNs;
  const records = recorder.finish();
  records.tenants.push(...(plan.mix?.classes.map(({ tenant }) => tenant) ?? []));
  return {
    records,
    durationNs: Math.max(recorder.lastNs, totals.lastEndNs),
    scheduledNs: last,
    executions: totals.executions,
    batches: recorder.batches,
  };
}

function costsOf(sharing: readonly SimulatedModel[], moreNs: Nanos): Record<string, CostTable> {
  return Object.fromEntries(sharing.map(({ name, cost }) => [name, later(cost, moreNs)]));
}

function later(table: CostTable, ns: Nanos): CostTable {
  return table.map(([rows, cost]) => [rows, cost + ns] as const);
}

/** Durations at the speed that the machine had at that moment of the probe. */
function varied(durationOf: CostModel['durationOf'], replay: Replay): SimulationCase['durationOf'] {
  return (execution, now) => replay.durationFrom(now, durationOf(execution));
}

/** Of the load that keeps client and server thread as busy as they can be: the probability that an arrival finds them so. */
function shareOf(plan: LoadPlan, { ratePerSecond }: ServedOverhead): number {
  const lastNs = plan.mode === 'open' ? (plan.dueNs[plan.dueNs.length - 1] ?? 0) : 0;
  if (plan.mode !== 'open' || plan.closed || lastNs === 0 || ratePerSecond === 0) return 1;
  return Math.min(1, plan.dueNs.length / (lastNs / 1e9) / ratePerSecond);
}

/** How long a request that ends at an instant is under way: as long as the probe's then, where it meets busy threads; else the least. */
function wayOf({ course, requestNs }: ServedOverhead, share: number): (at: Nanos) => Nanos {
  const replay = new Replay(course);
  const random = new FastRandom(1);
  return (at) => (random.next32() < share * 2 ** 32 ? (replay.restAt(at) ?? requestNs) : requestNs);
}

type CostModel = ReturnType<typeof costModel>;

/** Fills record columns from simulator events; grows where a closed loop outlasts the first guess. */
class Recorder {
  readonly batches = new Map<number, number>();
  #table: RecordTable;
  #executions = 0;
  readonly #samples: Uint32Array;
  /** When the last answer was known. */
  lastNs = 0;

  constructor(capacity: number, samples: Uint32Array) {
    this.#table = new RecordTable(Math.max(1, capacity));
    this.#samples = samples;
  }

  started(execution: Execute, start: Nanos, end: Nanos): void {
    const id = ++this.#executions;
    this.batches.set(execution.rows, (this.batches.get(execution.rows) ?? 0) + 1);
    for (const each of execution.requests) {
      const request = each as SimulatedRequest;
      this.#room(request.index);
      const table = this.#table;
      table.queueNs[request.index] = start - request.at;
      table.computeInferNs[request.index] = end - start;
      table.batchSize[request.index] = execution.rows;
      table.executionId[request.index] = id;
    }
  }

  answered(request: SimulatedRequest, at: Nanos, knownAt: Nanos): void {
    this.#fill(request, at, knownAt, 'ok');
  }

  rejected(request: StrategyRequest, at: Nanos, knownAt: Nanos, reason: string): void {
    this.#fill(request as SimulatedRequest, at, knownAt, 'rejected');
    this.#table.error[(request as SimulatedRequest).index] = this.#table.errorNumber(reason);
  }

  finish(): RecordTable {
    return this.#table;
  }

  #fill(request: SimulatedRequest, at: Nanos, knownAt: Nanos, outcome: (typeof OUTCOMES)[number]): void {
    const row = request.index;
    this.#room(row);
    const table = this.#table;
    table.length = Math.max(table.length, row + 1);
    table.sequence[row] = row;
    table.query[row] = request.query;
    table.sampleIndex[row] = this.#samples[row % this.#samples.length]!;
    table.rows[row] = request.rows;
    table.dueNs[row] = request.dueNs;
    table.tenant[row] = request.kind;
    table.issuedNs[row] = request.at;
    table.serverSeenNs[row] = request.at;
    table.sentNs[row] = request.at;
    table.serverTotalNs[row] = at - request.at;
    table.firstByteNs[row] = knownAt;
    table.completedNs[row] = knownAt;
    if (knownAt > this.lastNs) this.lastNs = knownAt;
    table.outcome[row] = OUTCOMES.indexOf(outcome);
    // Nothing else takes time here: the other components are known to be 0.
    for (const column of [table.receiveNs, table.computeInputNs, table.computeOutputNs, table.serialiseNs])
      column[row] = 0;
  }

  #room(row: number): void {
    if (row < this.#table.capacity) return;
    if (row >= MAX_REQUESTS) throw new Error(`the simulated load does not end: ${MAX_REQUESTS} requests`);
    this.#table = grown(this.#table);
  }
}

/** The same rows in a table of twice the capacity. */
function grown(table: RecordTable): RecordTable {
  const larger = new RecordTable(table.capacity * 2);
  larger.length = table.length;
  larger.errorCodes.splice(0, larger.errorCodes.length, ...table.errorCodes);
  for (const key of Object.keys(table) as (keyof RecordTable)[]) {
    const from = table[key];
    const to = larger[key];
    if (ArrayBuffer.isView(from) && ArrayBuffer.isView(to)) (to as Float64Array).set(from as Float64Array);
  }
  return larger;
}
