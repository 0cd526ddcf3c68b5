import { checked } from '../../results/lookup.js';
import { instanceList, strategyContext } from '../executors/context.js';
import { costModel, costTable } from '../executors/cost.js';
import type { CostTable, SimulationTotals } from '../executors/index.js';
import { simulate } from '../executors/virtual.js';
import type { StrategyRequest } from '../strategies/index.js';
import { createStrategy, findStrategy } from '../strategies/registry.js';
import { type Listed, Listing } from './listing.js';
import type { VectorCase } from './vectors.js';

/** What a run gives, in the form and order of a vector's `expect`. */
export interface RunResult extends Listed {
  readonly summary: {
    readonly requests: number;
    readonly answered: number;
    readonly rejected: number;
    readonly executions: number;
    readonly rows: number;
    readonly lastEndNs: number;
    readonly p50LatencyNs: number | null;
    readonly p99LatencyNs: number | null;
  };
}

/** Run a case's requests through its strategy in virtual time. */
export function runStrategy(vector: VectorCase): RunResult | undefined {
  const { strategy, until } = vector;
  if (findStrategy(strategy.name) === undefined) return undefined;
  const instances = instanceList(vector.instances);
  const costs = costModel(instances, { cost: tableOf(vector.cost), costs: vector.costs });
  const context = strategyContext(instances, costs);
  const requests: StrategyRequest[] = (vector.requests ?? []).map((given) => ({ ...given, rows: given.rows ?? 1 }));
  const listing = new Listing(requests);
  const machine = createStrategy(strategy.name, strategy.options, context);
  const { durationOf } = costs;
  const totals = simulate({ strategy: machine, instances, durationOf, requests, until }, listing);
  return { ...listing.list(), summary: summaryOf(totals, requests.length, listing.latencies) };
}

function summaryOf(totals: SimulationTotals, requests: number, latencies: readonly number[]): RunResult['summary'] {
  const { answered, rejected, executions, rows, lastEndNs } = totals;
  const sorted = latencies.toSorted((a, b) => a - b);
  return {
    requests,
    answered,
    rejected,
    executions,
    rows,
    lastEndNs,
    p50LatencyNs: percentile(sorted, 50),
    p99LatencyNs: percentile(sorted, 99),
  };
}

function percentile(sorted: readonly number[], p: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))] ?? null;
}

function tableOf(cost: unknown): CostTable | undefined {
  return checked(costTable.optional(), cost, 'cost');
}
