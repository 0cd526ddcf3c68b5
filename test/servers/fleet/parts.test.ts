import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FastRandom } from '../../../results/stats/index.js';
import { createController } from '../../../servers/controllers/index.js';
import { Histogram } from '../../../servers/fleet/histogram.js';
import { fewestReplicas, sensitivityOf } from '../../../servers/fleet/index.js';
import { LeastKeys } from '../../../servers/fleet/least.js';

test('the tree always knows the least key and the lowest id that has it, whatever was set', () => {
  const keys = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(Number.POSITIVE_INFINITY));
  const sizes = fc.constantFrom(1, 8, 9, 64, 65, 700);
  fc.assert(
    fc.property(sizes, fc.array(fc.tuple(fc.nat(), keys), { maxLength: 80 }), (size, changes) => {
      const tree = new LeastKeys(size);
      const model = new Map<number, number>();
      for (const [number, key] of changes) {
        const id = number % size;
        tree.set(id, key);
        if (key === Number.POSITIVE_INFINITY) model.delete(id);
        else model.set(id, key);
        const sorted = [...model].sort(([a, x], [b, y]) => x - y || a - b);
        expect(tree.leastKey()).toBe(sorted[0]?.[1] ?? Number.POSITIVE_INFINITY);
        expect(tree.leastId()).toBe(sorted[0]?.[0] ?? -1);
        expect(tree.keyOf(id)).toBe(key);
      }
    }),
  );
});

test('a percentile of the histogram is within 0.8 % of the exact one, extremes and sums are exact', () => {
  const values = fc.array(fc.integer({ min: 0, max: 3_000_000_000_000 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(values, fc.constantFrom(0, 0.5, 0.9, 0.99, 0.999), (list, p) => {
      const histogram = new Histogram();
      for (const value of list) histogram.add(value);
      const sorted = [...list].sort((a, b) => a - b);
      const exact = sorted[Math.min(list.length - 1, Math.floor(list.length * p + 1e-9))]!;
      expect(Math.abs(histogram.percentile(p) - exact)).toBeLessThanOrEqual(0.008 * exact + 1);
      expect([histogram.count, histogram.max]).toEqual([list.length, sorted.at(-1)]);
    }),
  );
});

describe('capacity', () => {
  /** Requests exactly 1 ms apart. */
  const question = {
    cost: [[1, 10e6]] as const,
    ratePerSecond: 1000,
    objective: { percentile: 0.99, ns: 10e6 },
    gaps: () => () => 1e6,
    picker: 'round-robin' as const,
    instances: 1,
    maxReplicas: 100,
    requests: 2000,
    seed: 1n,
  };
  const serial = { strategy: 'serial', options: {}, maxRows: 1 };

  test('requests every 1 ms that take 10 ms need 10 replicas in turn; with 9 the queue grows', () => {
    const answer = fewestReplicas(question, serial);
    expect(answer).toMatchObject({ replicas: 10, latencyNs: expect.closeTo(10e6, -5) });
    expect(answer.oneFewerNs!).toBeGreaterThan(50e6);
  });

  test('if everything took a quarter longer, 13 would be needed, and the planned 10 would not do', () => {
    const [longer] = sensitivityOf({ ...question, objective: { percentile: 0.99, ns: 13e6 } }, serial, 10, [1.25]);
    expect(longer).toMatchObject({ factor: 1.25, replicas: 13, plannedKeeps: false });
  });

  test('with costs × f the replicas needed, and what the planned ones do, are those of a fleet that truly costs so much', () => {
    // Poisson arrivals in turn to serial replicas: each replica's waits follow Lindley's recursion, here by hand.
    const poisson = () => {
      const random = new FastRandom(7);
      return () => Math.max(1, Math.round(-Math.log1p(-random.next32() / 2 ** 32) * 1e6));
    };
    const truth = (replicas: number, costNs: number): number => {
      const gap = poisson();
      const free = new Float64Array(replicas);
      const latencies = Array.from({ length: question.requests }, () => 0);
      for (let k = 0, at = 0; k < latencies.length; k++) {
        at += gap();
        const end = Math.max(at, free[k % replicas]!) + costNs;
        free[k % replicas] = end;
        latencies[k] = end - at;
      }
      return latencies.sort((a, b) => a - b)[Math.floor(latencies.length * 0.99)]!;
    };
    const objective = { percentile: 0.99, ns: 25e6 };
    const asked = { ...question, objective, gaps: poisson };
    const planned = fewestReplicas(asked, serial).replicas!;
    for (const told of sensitivityOf(asked, serial, planned, [0.8, 1, 1.1, 1.25])) {
      const costNs = Math.round(10e6 * told.factor);
      let needed = 1;
      while (truth(needed, costNs) > objective.ns) needed++;
      expect(told.replicas).toBe(needed);
      expect(Math.abs(told.plannedLatencyNs / truth(planned, costNs) - 1)).toBeLessThan(0.01);
      expect(told.plannedKeeps).toBe(truth(planned, costNs) <= objective.ns);
    }
  });

  test('an objective below the time of one execution is kept by no number', () => {
    expect(fewestReplicas({ ...question, objective: { percentile: 0.99, ns: 9e6 } }, serial).replicas).toBeNull();
  });
});

describe('predictive', () => {
  const options = { ratePerReplica: 10, targetUtilization: 1, horizon: 60e9, alpha: 1, beta: 1, scaleDownDelay: 0 };

  test('a rate that grows by 1/s every second is forecast 60 higher, and served by replicas for that', () => {
    const scaler = createController('predictive', options);
    expect(scaler.step({ at: 0, rate: 100 })).toEqual({ forecast: 100, level: 100, trend: 0, replicas: 10 });
    expect(scaler.step({ at: 10e9, rate: 110 })).toEqual({ forecast: 170, level: 110, trend: 1, replicas: 17 });
  });

  test('replicas go only after the forecast was lower for the whole delay', () => {
    const scaler = createController('predictive', { ...options, scaleDownDelay: 30e9, horizon: 0 });
    const replicas = [100, 50, 50, 50, 50].map(
      (rate, k) => (scaler.step({ at: k * 15e9, rate }) as { replicas: number }).replicas,
    );
    expect(replicas).toEqual([10, 10, 10, 5, 5]);
  });
});
