import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalDouble, FastRandom } from '../../../results/stats/index.js';
import {
  type CostTable,
  costModel,
  instanceList,
  simulate,
  strategyContext,
} from '../../../servers/executors/index.js';
import { createAutoscaler, type FleetSpec, simulateFleet } from '../../../servers/fleet/index.js';
import {
  createStrategy,
  type StrategyDefinition,
  strategies,
  strategyNamed,
} from '../../../servers/strategies/index.js';

const MS = 1e6;
const COST: CostTable = [
  [1, 10 * MS],
  [8, 24 * MS],
];

function poisson(ratePerSecond: number, seed: number): () => number {
  const random = new FastRandom(seed);
  return () => Math.round((-Math.log(1 - canonicalDouble(random)) / ratePerSecond) * 1e9);
}

function fixed(...gaps: number[]): () => number {
  let k = 0;
  return () => gaps[k++] ?? Number.POSITIVE_INFINITY;
}

const BASE: FleetSpec = {
  strategy: { name: 'serial', options: {} },
  cost: COST,
  replicas: { initial: 2, max: 4, startUpNs: 0, instances: 1 },
  picker: 'round-robin',
  nextGapNs: fixed(),
  durationNs: 10e9,
  objectiveNs: 20 * MS,
  seed: 1n,
};

describe.each([
  ['serial', {}, 1],
  ['instance-group', {}, 3],
  ['triton-dynamic', { maxBatchSize: 8, maxQueueDelay: 3 * MS }, 2],
  ['triton-dynamic', { maxBatchSize: 4, preserveOrdering: true }, 2],
  ['tfs-batch', { maxBatchSize: 4, batchTimeout: 5 * MS }, 2],
  ['torchserve-batch', { batchSize: 4, maxBatchDelay: 5 * MS }, 2],
  ['edf', { maxBatchSize: 4, slo: 30 * MS, drop: 'expired' }, 1],
] as const)('a fleet of one replica with %s %o on %i instances', (name, options, instances) => {
  test('does exactly what the virtual executor does', () => {
    const requests: { id: string; at: number; rows: number }[] = [];
    const gap = poisson(150, 7);
    for (let at = gap(), k = 0; at <= 10e9; at += gap()) requests.push({ id: String(k++), at, rows: 1 });
    const list = instanceList(instances);
    const costs = costModel(list, { cost: COST });
    const latencies: number[] = [];
    const totals = simulate(
      {
        strategy: createStrategy(name, options, strategyContext(list, costs)),
        instances: list,
        durationOf: costs.durationOf,
        requests,
      },
      { answered: (request, at) => latencies.push(at - request.at) },
    );
    const fleet = simulateFleet({
      ...BASE,
      strategy: { name, options },
      replicas: { initial: 1, max: 1, startUpNs: 0, instances },
      nextGapNs: poisson(150, 7),
    });
    expect(fleet).toMatchObject({
      offered: totals.offered,
      answered: totals.answered,
      rejected: totals.rejected,
      executions: totals.executions,
      rows: totals.rows,
    });
    expect(fleet.latency.sum).toBe(latencies.reduce((sum, latency) => sum + latency, 0));
    expect(fleet.latency.max).toBe(Math.max(...latencies));
  });
});

describe('a strategy that says it is plain', () => {
  const cases = strategies.flatMap((definition: StrategyDefinition) =>
    (definition.examples ?? [{}]).map((options) => [definition.name, options as Record<string, unknown>] as const),
  );
  const isPlain = (name: string, options: Record<string, unknown>) => {
    const definition: StrategyDefinition = strategyNamed(name, 'test');
    return definition.plain?.(definition.options.parse(options)) !== undefined;
  };
  const plain = cases.filter(([name, options]) => isPlain(name, options));

  test('serial and instance groups without a rate limiter do', () => {
    expect(new Set(plain.map(([name]) => name))).toEqual(new Set(['serial', 'instance-group']));
    expect(isPlain('instance-group', { rateLimiter: {} })).toBe(false);
  });

  test.each(plain)('%s %o does in columns exactly what its state machines do', (name, options) => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(1000),
          rate: fc.integer({ min: 50, max: 900 }),
          instances: fc.integer({ min: 1, max: 3 }),
          picker: fc.constantFrom('round-robin' as const, 'random-two' as const, 'least-conn' as const),
          burst: fc.boolean(),
        }),
        ({ seed, rate, instances, picker, burst }) => {
          const lived = (objects: boolean) => {
            const gap = poisson(rate, seed);
            let k = 0;
            const scale = createAutoscaler('kpa-concurrency', { target: 2, initialReplicas: 2 });
            return simulateFleet({
              ...BASE,
              strategy: { name, options },
              replicas: { initial: 2, max: 5, startUpNs: 50 * MS, instances, speeds: [1, 2.5] },
              // In bursts several come at one instant, which is the end of an execution too.
              nextGapNs: () => (burst ? (k++ % 3 === 0 ? 10 * MS : 0) : gap()),
              picker,
              autoscaler: { scale, intervalNs: 100 * MS },
              durationNs: 1e9,
              objects,
            });
          };
          expect(lived(false)).toEqual(lived(true));
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('a gateway', () => {
  test('round-robin gives four requests at once to two replicas in turn: two wait 10 ms', () => {
    const { latency, answered } = simulateFleet({ ...BASE, nextGapNs: fixed(1, 0, 0, 0) });
    expect(answered).toBe(4);
    expect([latency.max, latency.sum]).toEqual([20 * MS, 60 * MS]);
  });

  test('least-conn leaves the replica that is four times as slow most of the time; its p99 is less than half of round-robin’s', () => {
    const slow = (picker: FleetSpec['picker']) =>
      simulateFleet({
        ...BASE,
        replicas: { initial: 4, max: 4, startUpNs: 0, instances: 1, speeds: [1, 1, 1, 4] },
        picker,
        // 70 % of what the four can do: 3 × 100 + 25 a second.
        nextGapNs: poisson(0.7 * 325, 3),
        durationNs: 300e9,
      }).latency.percentile(0.99);
    expect(slow('least-conn')).toBeLessThan(0.5 * slow('round-robin'));
  });

  test('without a replica every request is refused, and nobody waits for it', () => {
    const result = simulateFleet({ ...BASE, replicas: { ...BASE.replicas, initial: 0 }, nextGapNs: fixed(1, 1, 1) });
    expect(result).toMatchObject({ offered: 3, answered: 0, rejected: 3, unserved: 3, replicaSeconds: 0 });
  });
});

describe('an autoscaler', () => {
  test('orders replicas that take requests only after their start-up, and pays for them from the order', () => {
    // One look at 1 s asks for 2 replicas; the second is up at 3 s; the run ends at 4 s.
    const { replicaSeconds, windows, peakReplicas } = simulateFleet({
      ...BASE,
      replicas: { initial: 1, max: 4, startUpNs: 2e9, instances: 1 },
      autoscaler: { scale: () => 2, intervalNs: 1e9 },
      nextGapNs: fixed(...Array.from({ length: 4 }, () => 0.99e9)),
      durationNs: 4e9,
      windows: 8,
    });
    expect(peakReplicas).toBe(2);
    // The first lives 4 s, the second from 1 s on: 3 s.
    expect(replicaSeconds).toBeCloseTo(7, 9);
    expect(windows.map(({ ready }) => ready)).toEqual([1, 1, 1, 1, 1, 1, 2, 2]);
  });

  test('a replica that is given up finishes what it has', () => {
    let looks = 0;
    const { answered, offered, rejected } = simulateFleet({
      ...BASE,
      replicas: { initial: 2, max: 2, startUpNs: 0, instances: 1 },
      autoscaler: { scale: () => (++looks === 1 ? 1 : 2), intervalNs: 5 * MS },
      nextGapNs: poisson(150, 5),
      durationNs: 2e9,
    });
    expect([answered, rejected]).toEqual([offered, 0]);
  });

  test.each(['hpa', 'kpa-concurrency', 'keda-queue'])('%s keeps up with a load that grows eightfold', (name) => {
    const limits = { minReplicas: 1, maxReplicas: 40, initialReplicas: 1 };
    const options = {
      hpa: limits,
      'kpa-concurrency': { ...limits, target: 1, targetUtilization: 0.7 },
      'keda-queue': { ...limits, lagThreshold: 1 },
    }[name]!;
    const [calm, busy] = [poisson(50, 1), poisson(400, 2)];
    let now = 0;
    const result = simulateFleet({
      ...BASE,
      replicas: { initial: 1, max: 40, startUpNs: 5e9, instances: 1 },
      picker: 'least-conn',
      autoscaler: { scale: createAutoscaler(name, options), intervalNs: 15e9 },
      nextGapNs: () => {
        const gap = now < 60e9 ? calm() : busy();
        now += gap;
        return gap;
      },
      durationNs: 600e9,
      windows: 20,
    });
    const last = result.windows.filter(({ startNs }) => startNs >= 450e9 && startNs < 600e9);
    for (const { p99Ns } of last) expect(p99Ns!).toBeLessThan(200 * MS);
    expect(result.answered).toBe(result.offered);
  });

  test('an unknown one is refused with the names there are', () => {
    expect(() => createAutoscaler('vpa', {})).toThrow(
      /no autoscaler "vpa".*hpa, keda-queue, kpa-concurrency, predictive/s,
    );
  });
});

test('no request is lost or answered twice, memory is what is in flight', () => {
  const result = simulateFleet({
    ...BASE,
    strategy: { name: 'triton-dynamic', options: { maxBatchSize: 8 } },
    replicas: { initial: 50, max: 50, startUpNs: 0, instances: 1 },
    picker: 'random-two',
    nextGapNs: poisson(50 * 200, 11),
    durationNs: 20e9,
  });
  expect(result.offered).toBeGreaterThan(190_000);
  expect(result.answered + result.rejected).toBe(result.offered);
  expect(result.rows).toBe(result.answered);
  expect(result.peakInFlight).toBeLessThan(3000);
  expect(result.windows.reduce((sum, { offered }) => sum + offered, 0)).toBe(result.offered);
  expect(result.windows.reduce((sum, { good }) => sum + good, 0)).toBe(result.good);
});
