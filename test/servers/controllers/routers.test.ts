import { describe, expect, test } from 'vitest';
import { createController } from '../../../servers/controllers/registry.js';

const S = 1e9;

describe('route-ab', () => {
  test('hashes are FNV-1a over "experiment:user": with an empty experiment and user, over ":" alone', () => {
    const arms = [{ name: 'all', basisPoints: 10_000 }];
    // One byte, 0x3a: ((2166136261 xor 58) · 16777619) mod 2^32 = 1057798253.
    const hash = Number(((2166136261n ^ 58n) * 16777619n) % 2n ** 32n);
    expect(createController('route-ab', { experiment: '', arms }).step({ user: '' })).toEqual({
      hash,
      bucket: hash % 10_000,
      arm: 'all',
    });
  });

  test('the shares of 10,000 users lie within one percent of those asked for, and nobody changes arm', () => {
    const router = createController('route-ab', {
      experiment: 'colour',
      arms: [
        { name: 'red', basisPoints: 2500 },
        { name: 'blue', basisPoints: 7500 },
      ],
    });
    const armOf = (i: number) => (router.step({ user: `user-${i}` }) as { arm: string }).arm;
    const arms = Array.from({ length: 10_000 }, (_, i) => armOf(i));
    expect(arms.filter((arm) => arm === 'red').length / 10_000).toBeCloseTo(0.25, 2);
    expect(Array.from({ length: 10_000 }, (_, i) => armOf(i))).toEqual(arms);
  });

  test('shares that do not sum to 10,000 are refused', () => {
    const arms = [{ name: 'a', basisPoints: 9999 }];
    expect(() => createController('route-ab', { experiment: 'x', arms })).toThrow(
      "route-ab.arms: the arms' basisPoints must sum to 10000.",
    );
  });
});

describe('route-canary', () => {
  const result = (at: number, given: object = {}) => ({
    op: 'result',
    at: at * S,
    arm: 'canary',
    ok: true,
    latencyNs: 5e6,
    ...given,
  });
  const options = { experiment: 'c', ramp: [100, 1000, 10_000], stepTime: '60s', minSamples: 3 };

  test('with three good results and a minute gone, the share grows from 1 % to 10 %', () => {
    const canary = createController('route-canary', options);
    const answers = [10, 20, 30, 61].map((at) => canary.step(result(at)));
    expect(answers).toEqual([
      ...new Array(3).fill({ state: 'ramping', stage: 0, basisPoints: 100 }),
      { state: 'ramping', stage: 1, basisPoints: 1000 },
    ]);
  });

  test('a stage begins without results: three more and 60 s more are needed; after the last stage everyone is moved', () => {
    const canary = createController('route-canary', { ...options, ramp: [100, 1000] });
    const answers = [10, 20, 60, 61, 62, 119, 120, 500].map((at) => canary.step(result(at)) as { state: string });
    expect(answers.map(({ state }) => state)).toEqual([...new Array(6).fill('ramping'), 'done', 'done']);
    expect(answers[7]).toEqual({ state: 'done', stage: 1, basisPoints: 10_000 });
    expect(canary.step({ op: 'route', at: 501 * S, user: 'anyone' })).toMatchObject({ arm: 'canary' });
  });

  test('one failure in three results is more than 1 %: rolled back for good', () => {
    const canary = createController('route-canary', options);
    canary.step(result(1));
    canary.step(result(2, { ok: false }));
    expect(canary.step(result(3))).toEqual({ state: 'rolled-back', stage: 0, basisPoints: 0 });
    expect(canary.step(result(4))).toEqual({ state: 'rolled-back', stage: 0, basisPoints: 0 });
    expect(canary.step({ op: 'route', at: 5, user: 'anyone' })).toMatchObject({ arm: 'primary' });
  });

  test('a p99 above maxLatency rolls back; the primary’s results do not count', () => {
    const canary = createController('route-canary', { ...options, maxLatency: '20ms' });
    for (const at of [1, 2, 3]) canary.step(result(at, { arm: 'primary', latencyNs: 90e6 }));
    expect(canary.step(result(4))).toMatchObject({ state: 'ramping' });
    canary.step(result(5));
    expect(canary.step(result(6, { latencyNs: 21e6 }))).toMatchObject({ state: 'rolled-back' });
  });
});

describe('load-balancer', () => {
  test('smooth weights 5, 1, 1 give 0 0 1 0 2 0 0', () => {
    const balancer = createController('load-balancer', {
      algorithm: 'smooth-weighted',
      upstreams: [{ weight: 5 }, { weight: 1 }, { weight: 1 }],
    });
    const picks = Array.from({ length: 7 }, () => (balancer.step({ op: 'pick' }) as { upstream: number }).upstream);
    expect(picks).toEqual([0, 0, 1, 0, 2, 0, 0]);
  });

  test('an upstream that failed is left alone for 10 s, boundary included', () => {
    const balancer = createController('load-balancer', { upstreams: [{}] });
    expect(balancer.step({ op: 'pick', at: 0 })).toEqual({ upstream: 0, connections: [1] });
    expect(balancer.step({ op: 'done', upstream: 0, ok: false, at: 0 })).toEqual({ connections: [0] });
    expect(balancer.step({ op: 'pick', at: 10 * S })).toEqual({ upstream: null, connections: [0] });
    expect(balancer.step({ op: 'pick', at: 10 * S + 1 })).toEqual({ upstream: 0, connections: [1] });
  });

  test('of two drawn upstreams the second wins only with strictly fewer connections', () => {
    const balancer = createController('load-balancer', { algorithm: 'random-two', upstreams: [{}, {}, {}] });
    const pick = (draws?: readonly number[]) => balancer.step({ op: 'pick', draws });
    // 0.5 of three is upstream 1; 0.1 of the other two is upstream 0.
    expect(pick([0.5, 0.1])).toEqual({ upstream: 1, connections: [0, 1, 0] });
    expect(pick([0.5, 0.1])).toEqual({ upstream: 0, connections: [1, 1, 0] });
    // Without draws 0 and 1 are compared.
    expect(pick()).toEqual({ upstream: 0, connections: [2, 1, 0] });
    expect(pick()).toEqual({ upstream: 1, connections: [2, 2, 0] });
  });

  test('without upstreams or instances there is one upstream', () => {
    expect(createController('load-balancer').step({ op: 'pick' })).toEqual({ upstream: 0, connections: [1] });
  });
});
