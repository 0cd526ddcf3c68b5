import { expect, test } from 'vitest';
import { planFrom } from '../../scenarios/load-facts.js';
import { connectionsFor } from '../../scenarios/trial.js';

const SEEDS = { schedule: '1', samples: '2' };
const planned = (type: string, options: Record<string, unknown>) => planFrom({ type, options }, SEEDS, 'quick');
const second = { duration: 1e9 };

test('users of an open load do not wait for each other’s connections, whatever the transport', () => {
  const open = planned('open', { rate: 100, arrivals: 'poisson', ...second });
  expect(['rest', 'rest-binary', 'rest-undici'].map((transport) => connectionsFor(open, transport))).toEqual([
    1024, 1024, 1024,
  ]);
  // One connection carries a hundred requests there; the transport makes one of 64.
  expect(connectionsFor(open, 'grpc')).toBe(64);
  const capped = planned('open', { rate: 100, arrivals: 'poisson', ...second, concurrency: 200 });
  expect(connectionsFor(capped, 'rest')).toBe(200);
});

test('a closed loop has a connection for each in flight, offline for each that works it off', () => {
  expect(connectionsFor(planned('closed', { concurrency: 8, ...second }), 'rest')).toBe(64);
  expect(connectionsFor(planned('closed', { concurrency: 300, ...second }), 'grpc')).toBe(300);
  expect(connectionsFor(planned('offline', { minSamples: 500, ...second, concurrency: 100 }), 'rest')).toBe(100);
});
