import { expect, test } from 'vitest';
import { fleetState } from '../../../servers/routing/autoscale.js';
import { Pool } from '../../../servers/routing/pool.js';

const options = { algorithm: 'round-robin', maxFails: 1, failTimeout: 10 } as const;

test('a member that left is picked no more, ends what it has, and its place goes to the next', () => {
  const pool = filled(2);
  const [first, second] = [pool.pick(0, {})!, pool.pick(0, {})!];
  pool.begin(first, 0);
  let gone = '';
  pool.leave('0', 5, (upstream) => {
    gone = upstream!;
  });
  expect(gone).toBe('');
  expect(pool.size).toBe(1);
  expect(pool.pick(6, {})).toBe(second);
  pool.end(first, true, 8, 8);
  pool.release(first, true, 8);
  expect(gone).toBe('to 0');
  pool.join({ name: '2', url: '', weight: 1, instances: 1 }, 'to 2', 9);
  expect(pool.pick(9, {})!.slot).toBe(first.slot);
  expect(pool.counts(10).replicas.map(({ state, inNs }) => [state, inNs])).toEqual([
    ['gone', 5],
    ['in', 10],
    ['in', 1],
  ]);
});

test('a member that failed is left out for failTimeout; one that has been tried is not tried again', () => {
  const pool = filled(2);
  pool.release(pool.pick(0, {})!, false, 0);
  expect([1, 2, 3].map((at) => pool.pick(at, {})!.spec.name)).toEqual(['1', '1', '1']);
  expect(pool.pick(4, { tried: new Set([1]) })).toBeUndefined();
  expect(pool.pick(11, { tried: new Set([1]) })!.spec.name).toBe('0');
});

test('busy time counts instances at work, not what waits behind them', () => {
  const pool = filled(1);
  const only = pool.pick(0, {})!;
  pool.begin(only, 0);
  pool.begin(only, 10);
  pool.end(only, true, 20, 20);
  pool.end(only, false, 20, 30);
  expect(pool.counts(40).replicas[0]).toMatchObject({
    ...{ attempts: 2, ok: 1, failed: 1, inFlight: 0, peakInFlight: 2 },
    ...{ busyNs: 30, latencyNs: 40, inNs: 40 },
  });
});

test('an autoscaler sees what happened since its last look: half busy, one waiting, 2 requests in 40 ns', () => {
  const pool = filled(1);
  const counts = (at: number, requests: number) => ({
    ...{ atNs: at, requests, retries: 0, refused: 0, held: 0, mirror: null },
    pools: [pool.counts(at)],
    route: { name: 'all', changes: [] },
  });
  const before = counts(60, 0);
  const only = pool.pick(80, {})!;
  pool.begin(only, 80);
  pool.begin(only, 80);
  const state = fleetState(before, counts(100, 2), { ready: 1, wanted: 2 }, 1);
  expect(state).toEqual({
    ...{ at: 100, ready: 1, wanted: 2, inFlight: 2, waiting: 1 },
    ...{ utilization: 0.5, ratePerSecond: 2 / 40e-9 },
  });
});

function filled(count: number): Pool<string> {
  const pool = new Pool<string>('primary', options);
  for (let n = 0; n < count; n++) pool.join({ name: `${n}`, url: '', weight: 1, instances: 1 }, `to ${n}`, 0);
  return pool;
}
