import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { OUTCOMES } from '../../results/record.js';
import { loadScenario } from '../../scenarios/load.js';
import { planFrom } from '../../scenarios/load-facts.js';
import { simulateTrial } from '../../scenarios/simulated.js';

/** The shipped scenario in exact virtual time: c(8) = 11 ms, so 8/11 ms = 727 requests a second are all there is. */
const scenario = loadScenario(fileURLToPath(new URL('../../scenarios/overload.yaml', import.meta.url)));
const SLO = 50e6;
const CAPACITY = 8 / 11e-3;
const { systems, loads, seeds } = scenario;
const twice = loads.find(({ name }) => name === 'twice')!;
const plan = planFrom(
  { type: twice.type, options: twice.options },
  { schedule: seeds.schedule, samples: seeds.samples },
  'quick',
  100,
);

function play(name: string): { readonly goodput: number; readonly late: number; readonly worstNs: number } {
  const system = systems.find((each) => each.name === name)!;
  const { records, scheduledNs } = simulateTrial(system, plan, [
    [1, 4e6],
    [8, 11e6],
  ]);
  let [good, late, worstNs] = [0, 0, 0];
  for (let row = 0; row < records.length; row++) {
    if (OUTCOMES[records.outcome[row]!] !== 'ok') continue;
    const latency = records.completedNs[row]! - records.dueNs[row]!;
    worstNs = Math.max(worstNs, latency);
    if (latency <= SLO) good++;
    else late++;
  }
  return { goodput: good / (scheduledNs / 1e9), late, worstNs };
}

describe('twice the capacity, an objective of 50 ms', () => {
  test.each(['clockwork-margin', 'reject-margin'])('%s: 5 ms less cost less than 5 %% of the capacity', (name) => {
    const { goodput, late, worstNs } = play(name);
    expect(goodput).toBeGreaterThan(0.95 * CAPACITY);
    expect(late).toBe(0);
    expect(worstNs).toBeLessThanOrEqual(SLO - 5e6);
  });

  test('admission by profile: at least 95 % of the capacity within the objective, and no answer late', () => {
    const { goodput, late, worstNs } = play('clockwork');
    expect(goodput).toBeGreaterThan(0.95 * CAPACITY);
    expect(late).toBe(0);
    expect(worstNs).toBeLessThanOrEqual(SLO);
  });

  test('first in, first out: collapses; what is answered in time is what came before the queue had grown', () => {
    expect(play('fifo').goodput).toBeLessThan(0.1 * CAPACITY);
  });

  test('Triton’s REJECT at the objective: what it lets through waits almost 50 ms, and is late by its execution', () => {
    const { goodput, late, worstNs } = play('reject-at-slo');
    expect(goodput).toBeLessThan(0.1 * CAPACITY);
    expect(late).toBeGreaterThan(0);
    expect(worstNs).toBeLessThanOrEqual(SLO + 11e6);
  });

  test('at the objective less the longest execution: as good as admission by profile', () => {
    const { goodput, late } = play('reject-before');
    expect(goodput).toBeGreaterThan(0.95 * CAPACITY);
    expect(late).toBe(0);
  });

  test('edf drops who can’t make it alone, yet runs them in batches: the last to get in are late, by c(8) − c(1) at most', () => {
    const { late, worstNs } = play('edf-feasible');
    expect(late).toBeGreaterThan(0);
    expect(worstNs).toBeLessThanOrEqual(SLO + 7e6);
  });
});
