import { instanceList, strategyContext } from '../../servers/executors/context.js';
import type { CostTable } from '../../servers/executors/contract.js';
import { costModel, costOf } from '../../servers/executors/cost.js';
import { simulate } from '../../servers/executors/virtual.js';
import { type PickerName, simulateFleet } from '../../servers/fleet/index.js';
import type { Execute, StrategyRequest } from '../../servers/strategies/contract.js';
import { createStrategy } from '../../servers/strategies/registry.js';
import { type BenchOptions, type Figure, figureOf, repeat } from './figure.js';

interface Setup {
  readonly strategy: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly instances: number;
  /** Rows an instance runs at once when it is busy. */
  readonly batch: number;
}

const ARRIVALS = 1_000_000;
/** 85 µs for one row, 18 µs a row at 32. */
const COST: CostTable = [
  [1, 85_000],
  [32, 576_000],
];
const SETUPS: readonly Setup[] = [
  { strategy: 'serial', options: {}, instances: 1, batch: 1 },
  { strategy: 'instance-group', options: {}, instances: 4, batch: 1 },
  { strategy: 'triton-dynamic', options: { maxBatchSize: 16, maxQueueDelay: '200us' }, instances: 1, batch: 16 },
];

const FLEETS = [1, 100, 10_000].flatMap((replicas) =>
  (['round-robin', 'random-two', 'least-conn'] as const).map((picker) => ({ replicas, picker })),
);

/**
 * The virtual executor's events a second, on a million Poisson arrivals at 80 % load, each strategy's own ns a request, and
 * the events a second of whole fleets of `serial` replicas.
 */
export async function run({ rounds }: BenchOptions): Promise<readonly Figure[]> {
  const fleets = FLEETS.map(({ replicas, picker }) =>
    figureOf(
      `fleet of ${replicas}, serial, ${picker}`,
      'events/s',
      repeat(rounds, () => fleetEventsPerSecond(replicas, picker)),
    ),
  );
  const single = SETUPS.flatMap((setup) => {
    const requests = poisson(ARRIVALS, (0.8 * setup.instances * setup.batch) / costOf(COST, setup.batch));
    const events = repeat(rounds, () => eventsPerSecond(setup, requests));
    const own = repeat(rounds, () => ownCost(setup, requests));
    return [
      figureOf(`simulator, ${setup.strategy}`, 'events/s', events),
      figureOf(`strategy alone, ${setup.strategy}`, 'ns/request', own),
    ];
  });
  return [...single, ...fleets];
}

/** Of processor time: a fleet runs on one core, and the collector's threads count. */
function fleetEventsPerSecond(replicas: number, picker: PickerName): number {
  const before = process.cpuUsage();
  const { events } = simulateFleet({
    strategy: { name: 'serial', options: {} },
    cost: COST,
    replicas: { initial: replicas, max: replicas, startUpNs: 0, instances: 1 },
    picker,
    nextGapNs: gaps((0.8 * replicas) / costOf(COST, 1)),
    durationNs: Number.POSITIVE_INFINITY,
    maxRequests: ARRIVALS,
    objectiveNs: 1_000_000,
    seed: 1n,
  });
  const { user, system } = process.cpuUsage(before);
  return events / ((user + system) / 1e6);
}

function eventsPerSecond(setup: Setup, requests: readonly StrategyRequest[]): number {
  const { instances, costs, strategy } = make(setup);
  const begin = performance.now();
  const totals = simulate({ strategy, instances, durationOf: costs.durationOf, requests });
  const seconds = (performance.now() - begin) / 1e3;
  if (totals.answered !== requests.length) throw new Error(`${setup.strategy} answered ${totals.answered}`);
  return totals.events / seconds;
}

/** The calls that a strategy sees at full load, without an executor: a batch is offered, polled and finished. */
function ownCost(setup: Setup, requests: readonly StrategyRequest[]): number {
  const { strategy } = make(setup);
  const running: Execute[] = [];
  const begin = performance.now();
  for (let i = 0, now = 0; i < requests.length; now += 1_000_000) {
    for (let n = 0; n < setup.batch && i < requests.length; n++) strategy.offer(requests[i++]!, now);
    // The queue may hold back a last, incomplete batch.
    for (let action = strategy.poll(now); action !== undefined; action = strategy.poll(now))
      if (action.kind === 'execute') running.push(action);
    strategy.wakeAt();
    for (const execution of running.splice(0)) strategy.finished(execution, now + 500_000);
  }
  return ((performance.now() - begin) * 1e6) / requests.length;
}

function make({ strategy, options, instances: count }: Setup) {
  const instances = instanceList(count);
  const costs = costModel(instances, { cost: COST });
  return { instances, costs, strategy: createStrategy(strategy, options, strategyContext(instances, costs)) };
}

/** Arrivals with exponential gaps, `rate` in requests a nanosecond, from a fixed seed. */
function poisson(count: number, rate: number): StrategyRequest[] {
  const next = gaps(rate);
  let at = 0;
  return Array.from({ length: count }, (_, i) => {
    at += next();
    return { id: String(i), at, rows: 1 };
  });
}

/** Exponential gaps in whole ns. */
function gaps(rate: number): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.round(-Math.log((state + 1) / 4_294_967_297) / rate);
  };
}
