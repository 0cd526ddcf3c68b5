import { describe, expect, test } from 'vitest';
import { canonicalDouble, FastRandom } from '../../../results/stats/random.js';
import { instanceList, strategyContext } from '../../../servers/executors/context.js';
import { costModel } from '../../../servers/executors/cost.js';
import { simulate } from '../../../servers/executors/virtual.js';
import type { Execute, StrategyRequest } from '../../../servers/strategies/contract.js';
import { createStrategy } from '../../../servers/strategies/registry.js';
import { MS } from './stage.js';

/** What the papers say of their own systems, at the size that virtual time shows exactly. */

interface Batch {
  readonly rows: number;
  readonly start: number;
  readonly end: number;
}

/** A queue that never runs dry, 2 ms + 0.1 ms a row; from `slowFromNs` on everything takes half as long again. */
function saturated(backoff: number, seconds: number, slowFromNs = Number.POSITIVE_INFINITY): Batch[] {
  const instances = instanceList(1);
  const costs = costModel(instances, {
    cost: [
      [1, 2.1 * MS],
      [101, 12.1 * MS],
    ],
  });
  const strategy = createStrategy('clipper-aimd', { slo: '20ms', backoff }, strategyContext(instances, costs));
  const batches: Batch[] = [];
  const requests = Array.from(
    { length: seconds * 10_000 },
    (_, i): StrategyRequest => ({ id: `${i}`, at: 0, rows: 1 }),
  );
  let now = 0;
  const durationOf = (execution: Execute) => {
    const slower = now >= slowFromNs ? 1.5 : 1;
    return Math.round(costs.durationOf(execution) * slower);
  };
  simulate(
    { strategy, instances, durationOf, requests, until: seconds * 1e9 },
    {
      started: ({ rows }, start, end) => batches.push({ rows, start, end }),
      ended: (_execution, _start, end) => {
        now = end;
      },
    },
  );
  return batches;
}

const rate = (batches: readonly Batch[]) =>
  batches.reduce((sum, { rows }) => sum + rows, 0) / ((batches.at(-1)!.end - batches[0]!.start) / 1e9);
/** 180 rows take 20 ms: the largest batch within the objective. */
const OPTIMUM = 180 / 20e-3;

describe('clipper-aimd', () => {
  const settled = (backoff: number) => saturated(backoff, 30).slice(400);

  test('reaches at least 95 % of the throughput of the largest batch within the objective', () => {
    expect(rate(settled(0.9)) / OPTIMUM).toBeGreaterThan(0.95);
  });

  test('backing off by a tenth beats backing off by half', () => {
    expect(rate(settled(0.9))).toBeGreaterThan(rate(settled(0.5)));
  });

  test('after a slow-down of 1.5 it is back within the objective in at most ten batches', () => {
    const batches = saturated(0.9, 30, 15e9);
    const first = batches.findIndex(({ start }) => start >= 15e9);
    const after = batches.slice(first);
    expect(after[0]!.end - after[0]!.start).toBeGreaterThan(20 * MS);
    const back = after.findIndex(({ start, end }) => end - start <= 20 * MS);
    expect(back).toBeGreaterThan(0);
    expect(back).toBeLessThanOrEqual(10);
  });
});

test.each([2, 17, 500])('prediction-cache: %i identical requests at once make one execution', (count) => {
  const instances = instanceList(1);
  const costs = costModel(instances, { cost: [[1, 10 * MS]] });
  const strategy = createStrategy('prediction-cache', { capacity: 4 }, strategyContext(instances, costs));
  const sources: string[] = [];
  const totals = simulate(
    {
      ...{ strategy, instances, durationOf: costs.durationOf },
      requests: Array.from({ length: count }, (_, i) => ({ id: `${i}`, at: i, rows: 1, key: 'same' })),
    },
    { answered: (_request, _at, source) => sources.push(source) },
  );
  expect(totals.executions).toBe(1);
  expect(sources.filter((source) => source === 'coalesced')).toHaveLength(count - 1);
});

describe('reef-stage: real-time requests of 2 ms, 20 a second, among endless best effort of 24 ms', () => {
  const played = (options: object) => {
    const instances = instanceList(1);
    const costs = costModel(instances, { cost: [[1, 24 * MS]], costs: { rt: [[1, 2 * MS]], be: [[1, 24 * MS]] } });
    const strategy = createStrategy('reef-stage', options, strategyContext(instances, costs));
    const random = new FastRandom(7n);
    const requests: StrategyRequest[] = Array.from({ length: 3000 }, (_, i) => ({
      ...{ id: `b${i}`, at: 0, rows: 1, model: 'be', class: 'be', client: 'batch' },
    }));
    for (let i = 0, at = 0; at < 55e9; i++) {
      at += Math.round((-Math.log(1 - canonicalDouble(random)) / 20) * 1e9);
      requests.push({ id: `r${i}`, at, rows: 1, model: 'rt', class: 'rt' });
    }
    const latencies: number[] = [];
    let bestEffort = 0;
    simulate(
      { strategy, instances, durationOf: costs.durationOf, requests, until: 55e9 },
      {
        answered: (request, at) => {
          if (request.class === 'rt') latencies.push(at - request.at);
          else bestEffort++;
        },
      },
    );
    latencies.sort((a, b) => a - b);
    return { p99: latencies[Math.floor(latencies.length * 0.99)]!, bestEffort };
  };
  const none = played({ mode: 'none' });

  test('eight stages: p99 at most 0.35 of that without, at 90 % of the best effort or more', () => {
    const staged = played({ mode: 'stage', stages: 8 });
    expect(staged.p99 / none.p99).toBeLessThan(0.35);
    expect(staged.bestEffort / none.bestEffort).toBeGreaterThan(0.9);
  });

  test('killing is quicker still, and what it costs is the work that is done again', () => {
    const staged = played({ mode: 'stage', stages: 8 });
    const killed = played({ mode: 'kill', stages: 8 });
    expect(killed.p99).toBeLessThan(staged.p99);
    expect(killed.bestEffort).toBeLessThan(none.bestEffort);
  });
});
