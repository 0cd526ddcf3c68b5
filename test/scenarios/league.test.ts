import { expect, test } from 'vitest';
import { planLeague } from '../../scenarios/league.js';

const ask = { real: false, command: 'test' };

/** What each load is judged by, by its name. */
async function percentiles(options: object): Promise<Record<string, unknown>> {
  const { scenario } = await planLeague({ ...ask, ...options });
  return Object.fromEntries(scenario.loads.map(({ name, options: { percentile } }) => [name, percentile]));
}

test('a league at its own length judges every load by its p99', async () => {
  expect(Object.values(await percentiles({}))).toEqual(Array.from({ length: 10 }, () => undefined));
  expect(Object.values(await percentiles({ durationNs: 20e9 }))).toEqual(Array.from({ length: 10 }, () => undefined));
});

test('loads that are cut to fewer requests than the scenario lets any offer are judged by their p90', async () => {
  // At its own 10 s the scarcest load offers 2 s of the capacity: 3 s are enough from 67 % on.
  const cut = await percentiles({ durationNs: 3e9 });
  expect(cut).toMatchObject({
    'steady-20': 'p90',
    'bursty-50': 'p90',
    'steady-80': undefined,
    'bursty-120': undefined,
  });
});

test('a budget cuts loads, then repeats, and says what is too little', async () => {
  const real = { real: true, only: ['triton', 'tfs', 'clockwork', 'nexus'] };
  const { scenario } = await planLeague({ ...ask, ...real, budgetNs: 480e9 });
  const { repeats, loads } = scenario;
  const [{ duration }] = loads.map(({ options }) => options as { duration: number }) as [{ duration: number }];
  expect(duration).toBeGreaterThanOrEqual(2e9);
  const each = duration + 1.5e9 + scenario.warmUpNs;
  expect(5 * 10 * repeats * each).toBeLessThanOrEqual(480e9);
  expect(loads.filter(({ options }) => options.percentile === 'p90').length).toBeGreaterThan(0);
  await expect(planLeague({ ...ask, ...real, budgetNs: 60e9 })).rejects.toThrow(/--budget: .* for 50 trials/);
});
