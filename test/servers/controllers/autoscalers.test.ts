import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Controller } from '../../../servers/controllers/contract.js';
import { createController } from '../../../servers/controllers/registry.js';

const S = 1e9;
const SEED = 20_260_201;

interface Answer {
  readonly wanted: number;
  readonly stabilized: number;
  readonly replicas: number;
  readonly panicking: boolean;
}

const step = (controller: Controller, input: Record<string, unknown>) => controller.step(input) as Answer;
const replicas = (controller: Controller, inputs: readonly Record<string, unknown>[]) =>
  inputs.map((input) => step(controller, input).replicas);
const syncs = (metrics: readonly (readonly unknown[])[]) =>
  metrics.map((each, i) => ({ at: 15 * S * i, metrics: each }));
const total = (wanted: number) => [{ total: wanted * 100, target: 100 }];

describe('hpa', () => {
  test('endless demand takes one replica to 5, 10, 20, 40: four pods or doubling, whichever is more', () => {
    const hpa = createController('hpa', { maxReplicas: 1000 });
    expect(replicas(hpa, syncs(new Array(4).fill(total(1000))))).toEqual([5, 10, 20, 40]);
  });

  test('the down window of 300 s includes its end: 10 wanted at 0 holds for 21 syncs, then 8, then 4', () => {
    const hpa = createController('hpa', { maxReplicas: 100, initialReplicas: 10 });
    const wanted = [10, 8, ...new Array(21).fill(4)].map(total);
    expect(replicas(hpa, syncs(wanted))).toEqual([...new Array(21).fill(10), 8, 4]);
  });

  test('an up window of 30 s waits until all of it wanted more: 1, 1, 1, then up', () => {
    const hpa = createController('hpa', { maxReplicas: 100, scaleUp: { stabilizationWindow: '30s' } });
    expect(replicas(hpa, syncs([1, 5, 5, 5].map(total)))).toEqual([1, 1, 1, 5]);
  });

  test('a metric within 10 % of its target changes nothing; without a metric nothing changes either', () => {
    const hpa = createController('hpa', { initialReplicas: 10, maxReplicas: 20 });
    expect(step(hpa, { at: 0, metrics: [{ average: 110, target: 100 }] }).wanted).toBe(10);
    expect(step(hpa, { at: 1, metrics: [] }).wanted).toBe(10);
    expect(step(hpa, { at: 2, metrics: [{ average: 111, target: 100 }] }).wanted).toBe(12);
  });

  test('zero replicas stay; numbers outside the limits go straight to the limit', () => {
    const hpa = createController('hpa', { minReplicas: 2, maxReplicas: 5 });
    const at = (replicas: number) => step(hpa, { at: 0, replicas, metrics: total(100) });
    expect(at(0)).toEqual({ wanted: 0, stabilized: 0, replicas: 0 });
    expect(at(9)).toEqual({ wanted: 5, stabilized: 5, replicas: 5 });
    expect(at(1)).toEqual({ wanted: 2, stabilized: 2, replicas: 2 });
  });

  test('pods without a value damp the change, and one that it would reverse is dropped', () => {
    const wanted = (pods: readonly unknown[]) =>
      step(createController('hpa', { initialReplicas: pods.length, maxReplicas: 100 }), {
        at: 0,
        metrics: [{ target: 100, pods }],
      }).wanted;
    const pod = (value: number | null, ready = true) => ({ ready, value });
    expect(wanted([pod(null), pod(null)])).toBe(2);
    expect(wanted([pod(200), pod(200)])).toBe(4);
    // Up: the pod without a value counts as idle, (150 + 0) / 2 = 75 < 100 would mean down.
    expect(wanted([pod(150), pod(null)])).toBe(2);
    // Up: (300 + 300 + 0) / 3 = 200: twice three.
    expect(wanted([pod(300), pod(300), pod(50, false)])).toBe(6);
    // Down: it counts as using its target, (20 + 100) / 2 = 60 → 1.2 → 2.
    expect(wanted([pod(20), pod(null)])).toBe(2);
    // Down: an unready pod is left out, 30 / 100 of one pod.
    expect(wanted([pod(30), pod(0, false)])).toBe(1);
  });

  test('selectPolicy min takes the slower policy, disabled forbids the direction', () => {
    const policies = [
      { type: 'pods', value: 1, period: '15s' },
      { type: 'percent', value: 100, period: '15s' },
    ];
    const up = (selectPolicy: string) => ({
      maxReplicas: 100,
      initialReplicas: 10,
      scaleUp: { policies, selectPolicy },
    });
    expect(replicas(createController('hpa', up('min')), syncs([total(50)]))).toEqual([11]);
    expect(replicas(createController('hpa', up('disabled')), syncs([total(50)]))).toEqual([10]);
    const down = (selectPolicy: string) => ({
      maxReplicas: 100,
      initialReplicas: 10,
      scaleDown: { policies, selectPolicy, stabilizationWindow: 0 },
    });
    expect(replicas(createController('hpa', down('min')), syncs([total(5)]))).toEqual([9]);
    expect(replicas(createController('hpa', down('max')), syncs([total(5)]))).toEqual([5]);
    expect(replicas(createController('hpa', down('disabled')), syncs([total(5)]))).toEqual([10]);
  });

  test('limits that contradict each other are refused', () => {
    expect(() => createController('hpa', { minReplicas: 11 })).toThrow('hpa.minReplicas: must not exceed maxReplicas.');
  });

  test('replicas stay within the limits, whatever the metrics', () => {
    const metrics = fc.array(
      fc.oneof(
        fc.record({ average: fc.integer({ min: 0, max: 1000 }), target: fc.constant(100) }),
        fc.record({ total: fc.integer({ min: 0, max: 5000 }), target: fc.constant(100) }),
        fc.record({
          target: fc.constant(100),
          pods: fc.array(
            fc.record({ ready: fc.boolean(), value: fc.option(fc.integer({ min: 0, max: 500 }), { nil: null }) }),
          ),
        }),
      ),
    );
    const run = fc.record({
      minReplicas: fc.integer({ min: 1, max: 5 }),
      more: fc.integer({ min: 0, max: 30 }),
      inputs: fc.array(metrics, { maxLength: 30 }),
    });
    fc.assert(
      fc.property(run, ({ minReplicas, more, inputs }) => {
        const maxReplicas = minReplicas + more;
        const hpa = createController('hpa', { minReplicas, maxReplicas });
        for (const count of replicas(hpa, syncs(inputs))) {
          expect(count).toBeGreaterThanOrEqual(minReplicas);
          expect(count).toBeLessThanOrEqual(maxReplicas);
        }
      }),
      { seed: SEED },
    );
  });
});

describe('keda-queue', () => {
  test('wakes with one replica, is capped by 8 partitions, and idles 300 s after the last lag', () => {
    const keda = createController('keda-queue');
    const lags = [0, 3, 95, 95, 40, ...new Array(11).fill(0)];
    const counts = replicas(
      keda,
      lags.map((lag, i) => ({ at: 30 * S * i, lag, partitions: 8 })),
    );
    expect(counts.slice(0, 6)).toEqual([0, 1, 5, 8, 8, 8]);
    // The last lag is at 120 s: 420 s is 300 s later, 450 s is more than that.
    expect(counts[14]).toBeGreaterThan(0);
    expect(counts[15]).toBe(0);
  });

  test('95 messages at 10 a replica want 10, but only 4 with 4 partitions, and 10 again where idle consumers are allowed', () => {
    const wanted = (partitions: number, allowIdleConsumers = false) =>
      step(createController('keda-queue', { allowIdleConsumers }), { at: 0, replicas: 1, lag: 95, partitions }).wanted;
    expect([wanted(20), wanted(4), wanted(4, true)]).toEqual([10, 4, 10]);
  });

  test('replicas are zero, idle or within the limits', () => {
    const run = fc.record({
      minReplicas: fc.integer({ min: 0, max: 3 }),
      more: fc.integer({ min: 1, max: 30 }),
      lags: fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 40 }),
    });
    fc.assert(
      fc.property(run, ({ minReplicas, more, lags }) => {
        const maxReplicas = minReplicas + more;
        const keda = createController('keda-queue', { minReplicas, maxReplicas });
        for (const count of replicas(
          keda,
          lags.map((lag, i) => ({ at: 60 * S * i, lag })),
        )) {
          expect(count).toBeGreaterThanOrEqual(minReplicas);
          expect(count).toBeLessThanOrEqual(maxReplicas);
        }
      }),
      { seed: SEED },
    );
  });
});

describe('kpa-concurrency', () => {
  test('700 in flight after a steady 50 make the panic mean 800/3 and 4 replicas, then 7 and 10', () => {
    const kpa = createController('kpa-concurrency');
    const samples = [...new Array(30).fill(50), 700, 700, 700].map((concurrency, i) => ({
      at: 2 * S * i,
      concurrency,
    }));
    const answers = samples.map((sample) => step(kpa, sample));
    expect(answers.slice(0, 30).every(({ replicas, panicking }) => replicas === 1 && !panicking)).toBe(true);
    expect(answers.slice(30).map(({ replicas, panicking }) => [replicas, panicking])).toEqual([
      [4, true],
      [7, true],
      [10, true],
    ]);
  });

  test('a panic never scales down, and ends more than a stable window after the last sample over the threshold', () => {
    const kpa = createController('kpa-concurrency', { target: 10, targetUtilization: 1, panicWindow: '2s' });
    const at = (second: number, concurrency: number) => step(kpa, { at: second * S, concurrency, ready: 4 });
    expect(at(0, 100)).toMatchObject({ replicas: 10, panicking: true });
    for (let second = 2; second <= 60; second += 2)
      expect(at(second, 0)).toMatchObject({ replicas: 10, panicking: true });
    expect(at(62, 0)).toMatchObject({ replicas: 2, panicking: false });
  });

  test('replicas stay within the limits', () => {
    const run = fc.record({
      minReplicas: fc.integer({ min: 0, max: 5 }),
      more: fc.integer({ min: 1, max: 30 }),
      samples: fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 50 }),
    });
    fc.assert(
      fc.property(run, ({ minReplicas, more, samples }) => {
        const maxReplicas = minReplicas + more;
        const kpa = createController('kpa-concurrency', { minReplicas, maxReplicas });
        for (const [i, concurrency] of samples.entries()) {
          const count = step(kpa, { at: 2 * S * i, concurrency }).replicas;
          expect(count).toBeGreaterThanOrEqual(minReplicas);
          expect(count).toBeLessThanOrEqual(maxReplicas);
        }
      }),
      { seed: SEED },
    );
  });
});
