import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createController } from '../../../servers/controllers/registry.js';

describe('clipper-select', () => {
  test('exp3 with two arms at eta 0.1: a loss of 1 takes arm 0 to exp(−0.2) = 0.8187 and 45.02 %', () => {
    const bandit = createController('clipper-select', { algorithm: 'exp3', eta: 0.1 });
    const { weights, probabilities } = bandit.step({ op: 'feedback', arm: 0, loss: 1 }) as Record<string, number[]>;
    expect(weights![0]).toBeCloseTo(0.8187, 4);
    expect(weights![1]).toBe(1);
    expect(probabilities![0]).toBeCloseTo(0.4502, 4);
  });

  test('a draw below the sum of the first probabilities picks the arm; one beyond all of them the last', () => {
    const bandit = createController('clipper-select', { weights: [1, 2, 1] });
    const arm = (draw: number) => (bandit.step({ op: 'select', draw }) as { arm: number }).arm;
    expect([0, 0.24, 0.25, 0.74, 0.75, 1].map(arm)).toEqual([0, 0, 1, 1, 2, 2]);
  });

  test('what did not arrive is replaced by the mean of the rest; agreement counts arrivals only', () => {
    const combine = (options: object, predictions: readonly (number | null)[]) =>
      createController('clipper-select', { algorithm: 'exp4', arms: 4, ...options }).step({
        op: 'combine',
        predictions,
      });
    // (2 + 2 + 5 + 3) / 4 = 3, and nobody who arrived said 3.
    expect(combine({}, [2, 2, 5, null])).toEqual({ prediction: 3, confidence: 0, default: false });
    expect(combine({}, [1, 1, 1, 4])).toEqual({ prediction: 1.75, confidence: 0, default: false });
    expect(combine({ truncate: true }, [1, 1, 1, 4])).toEqual({ prediction: 1, confidence: 0.75, default: false });
    const unsure = { prediction: -1, confidence: 0.5, default: true };
    expect(combine({ minConfidence: 0.6, defaultOutput: -1 }, [2, 2, 3, 3])).toMatchObject({ prediction: -1 });
    expect(combine({ minConfidence: 0.6, defaultOutput: -1 }, [2, 2, 3, 3])).toEqual(unsure);
    const none = { prediction: 7, confidence: 0, default: true };
    expect(combine({ defaultOutput: 7 }, [null, null, null, null])).toEqual(none);
  });

  test('exp4 learns from everyone who answered, at most a loss of 1', () => {
    const bandit = createController('clipper-select', { algorithm: 'exp4', arms: 3, eta: 0.3 });
    const { weights } = bandit.step({ op: 'feedback', predictions: [1, 9, null], truth: 1 }) as { weights: number[] };
    expect(weights).toEqual([1, Math.exp(-0.3 / (1 / 3)), 1]);
  });

  test('one weight an arm, or it is refused', () => {
    expect(() => createController('clipper-select', { arms: 2, weights: [1] })).toThrow('must have one weight an arm');
  });

  test('probabilities sum to 1 and no weight dies, whatever the losses', () => {
    const losses = fc.array(
      fc.record({ arm: fc.integer({ min: 0, max: 2 }), loss: fc.double({ min: 0, max: 1, noNaN: true }) }),
    );
    fc.assert(
      fc.property(losses, fc.double({ min: 0.001, max: 5, noNaN: true }), (steps, eta) => {
        const bandit = createController('clipper-select', { arms: 3, eta });
        for (const step of steps) {
          const answer = bandit.step({ op: 'feedback', ...step }) as Record<'weights' | 'probabilities', number[]>;
          expect(answer.probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
          expect(Math.min(...answer.weights)).toBeGreaterThanOrEqual(1e-12);
        }
      }),
      { seed: 20_260_203 },
    );
  });
});

describe('infaas', () => {
  const cpu = { task: 'c', slopeNs: 0, accuracy: 0.75, maxBatch: 8 };
  const variants = [
    { ...cpu, name: 'fp32', interceptNs: 120e6, loadNs: 2e9 },
    { ...cpu, name: 'int8', interceptNs: 32e6, loadNs: 1e9 },
    { ...cpu, name: 'gpu', interceptNs: 5e6, loadNs: 6e9, hardware: 'gpu' },
  ];
  const zoo = (running = false) =>
    createController('infaas', { variants: variants.map((variant) => ({ ...variant, running })) });
  const select = (maxLatency: number, more: object = {}) => ({
    op: 'select',
    task: 'c',
    minAccuracy: 0.7,
    maxLatency,
    ...more,
  });

  test('300 ms takes fp32, for the others are needlessly fast; 50 ms int8, which loads sooner; 20 ms gpu; 4 ms none', () => {
    const infaas = zoo();
    expect([300e6, 50e6, 20e6, 4e6].map((limit) => infaas.step(select(limit)))).toEqual([
      { variant: 'fp32', why: 'load' },
      { variant: 'int8', why: 'load' },
      { variant: 'gpu', why: 'load' },
      { variant: null, why: 'none' },
    ]);
    expect(infaas.step(select(50e6))).toEqual({ variant: 'int8', why: 'cached' });
    expect(infaas.step(select(60e6))).toEqual({ variant: 'gpu', why: 'running' });
  });

  test('a loose limit that nothing slow meets takes what there is', () => {
    const fast = createController('infaas', { variants: variants.slice(1) });
    expect(fast.step(select(300e6))).toEqual({ variant: 'int8', why: 'load' });
  });

  test('an overloaded variant is chosen only where all are, and recovers when it is fast again', () => {
    const infaas = zoo(true);
    const observe = (variant: string, averageLatencyNs: number, outstanding: number) =>
      infaas.step({ op: 'observe', variant, averageLatencyNs, qps: 1, outstanding, replicas: 1 });
    expect(observe('gpu', 5e6, 161)).toEqual({ overloaded: true });
    expect(infaas.step(select(50e6))).toEqual({ variant: 'int8', why: 'running' });
    expect(observe('int8', 32e6, 26)).toEqual({ overloaded: true });
    expect(infaas.step(select(50e6))).toEqual({ variant: 'gpu', why: 'overloaded' });
    // Cleared below 1.25 × 5 ms on a gpu, 1.5 × 32 ms on a cpu.
    expect(observe('gpu', 6.3e6, 0)).toEqual({ overloaded: true });
    expect(observe('gpu', 6.2e6, 0)).toEqual({ overloaded: false });
    expect(observe('int8', 47e6, 0)).toEqual({ overloaded: false });
  });

  test('ten syncs in a row with a replica to spare take one away; a busy one starts the count anew', () => {
    const infaas = zoo();
    const scale = (qps: number, replicas: number) =>
      (infaas.step({ op: 'scale', variant: 'int8', qps, replicas }) as { delta: number }).delta;
    // 8 rows in 32 ms are 250 a second.
    expect(Array.from({ length: 10 }, () => scale(250, 2))).toEqual([...new Array(9).fill(0), -1]);
    for (let i = 0; i < 9; i++) scale(250, 2);
    // 600 + 0.0002 · 500 · 1000 backlog = 700 − 500 beyond the capacity: one more replica of 250.
    expect(scale(600, 2)).toBe(1);
    expect(scale(250, 2)).toBe(0);
  });

  test('replicas beyond what fits cost a thousandfold: an upgrade is cheaper', () => {
    const upgrade = (delta: number, candidates: readonly string[]) =>
      zoo().step({ op: 'upgrade', variant: 'int8', qps: 500, replicas: 1, delta, maxReplicas: 2, candidates });
    const costs = { replicateCost: 1e9, upgradeCost: 6e9 };
    expect(upgrade(1, ['gpu'])).toEqual({ action: 'replicate', variant: 'int8', ...costs });
    expect(upgrade(2, ['gpu', 'gpu'])).toEqual({ action: 'upgrade', variant: 'gpu', ...costs, replicateCost: 1001e9 });
    expect(upgrade(1, [])).toMatchObject({ action: 'replicate', upgradeCost: null });
    expect(() => upgrade(1, ['tpu'])).toThrow('infaas.variant: there is no variant "tpu". Allowed: fp32, int8, gpu.');
  });
});
