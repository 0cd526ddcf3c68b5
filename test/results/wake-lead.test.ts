import { expect, test } from 'vitest';
import { WakeLead } from '../../results/wake-lead.js';

test('The lead comes to the mean of what wake-ups take where all take the same, and covers nine of ten where they do not', () => {
  const steady = new WakeLead();
  for (let i = 0; i < 200; i++) steady.learn(60_000);
  expect(steady.ns).toBeCloseTo(60_000, -2);
  const unsteady = new WakeLead();
  let late = 0;
  for (let i = 0; i < 2000; i++) {
    const latency = 50_000 + 10_000 * (i % 10);
    if (i >= 200 && latency > unsteady.ns) late++;
    unsteady.learn(latency);
  }
  expect(late / 1800).toBeLessThanOrEqual(0.15);
});

test('It stays within 40 and 400 µs, and one wake-up of a second hardly moves it', () => {
  const lead = new WakeLead();
  for (let i = 0; i < 200; i++) lead.learn(1000);
  expect(lead.ns).toBe(40_000);
  lead.learn(1e9);
  expect(lead.ns).toBeLessThan(125_000);
  for (let i = 0; i < 200; i++) lead.learn(5e6);
  expect(lead.ns).toBe(400_000);
});
