import { describe, expect, test } from 'vitest';
import type { LoadContext, LoadPlan } from '../../../clients/loads/contract.js';
import { loads, planLoad } from '../../../clients/loads/index.js';

const context = (preset: LoadContext['preset'] = 'quick'): LoadContext => ({
  scheduleSeed: 16159082839903944936n,
  sampleSeed: 2747215439041700203n,
  totalSampleCount: 10_000,
  performanceSampleCount: 1024,
  preset,
});

function planOpen(name: string, options: unknown, preset?: LoadContext['preset']) {
  const plan = planLoad(name, options, context(preset));
  if (plan.mode !== 'open') throw new Error('not an open plan');
  return plan;
}

function planClosed(name: string, options: unknown, preset?: LoadContext['preset']) {
  const plan = planLoad(name, options, context(preset));
  if (plan.mode !== 'closed') throw new Error('not a closed plan');
  return plan;
}

describe.each(loads.map((load) => load.name))('%s', (name) => {
  const rated = { rate: '100/s', duration: '2s' };
  const needs: Readonly<Record<string, object>> = {
    server: rated,
    open: rated,
    clients: {
      duration: '2s',
      clients: [
        { tenant: 'a', rate: '100/s' },
        { tenant: 'b', concurrency: 2 },
      ],
    },
    sessions: { ...rated, steps: [{ name: 'ask' }, { name: 'again', think: '5ms' }] },
  };
  const options = needs[name] ?? {};
  const draws = (plan: LoadPlan) => [...plan.sampleIndex.slice(0, 2000)];

  test('its samples are within the performance set and the same for the same seeds', () => {
    const plan = planLoad(name, options, context());
    expect(Math.max(...draws(plan))).toBeLessThan(1024);
    expect(draws(plan)).toEqual(draws(planLoad(name, options, context())));
  });

  test('an unknown option is refused by its name', () => {
    expect(() => planLoad(name, { ...options, speed: 3 }, context())).toThrow(/speed/);
  });
});

describe('MLPerf minima', () => {
  test('the mlperf preset asks for 600 s and 64, 662 or 24,576', () => {
    const single = planClosed('single-stream', {}, 'mlperf');
    expect([single.minDurationNs, single.minQueries, single.perQuery]).toEqual([600e9, 64, 1]);
    const multi = planClosed('multi-stream', {}, 'mlperf');
    expect([multi.minDurationNs, multi.minQueries, multi.perQuery]).toEqual([600e9, 662, 8]);
    expect(planOpen('offline', {}, 'mlperf').dueNs).toHaveLength(24_576);
  });

  test('an offline query holds 1.1 · duration · expected rate samples, all due at 0 and of one query', () => {
    const plan = planOpen('offline', { duration: '10s', expectedRate: '1000/s' });
    expect(plan.dueNs).toHaveLength(11_000);
    expect(plan.dueNs.every((due) => due === 0)).toBe(true);
    expect(plan.query.every((query) => query === 0)).toBe(true);
    expect(plan.latenessExpected).toBe(true);
  });

  test("the server's schedule is LoadGen's", () => {
    const plan = planOpen('server', { rate: '100/s', duration: '1s' });
    expect([...plan.dueNs.slice(0, 5)]).toEqual([0, 18436540, 23015776, 35874399, 43004346]);
    expect([...plan.sampleIndex.slice(0, 8)]).toEqual([818, 976, 516, 292, 672, 710, 120, 666]);
    expect(plan.dueNs.at(-1)).toBeGreaterThanOrEqual(1e9);
    expect(plan.dueNs.at(-2)).toBeLessThan(1e9);
  });

  test('a multi-stream query asks for eight neighbours', () => {
    const plan = planClosed('multi-stream', {});
    expect([...plan.sampleIndex.slice(0, 9)]).toEqual([818, 819, 820, 821, 822, 823, 824, 825, 976]);
  });
});

describe('open and closed', () => {
  test('a count replaces the duration: 50 constant arrivals at 10/s end at 4.9 s', () => {
    const plan = planOpen('open', { rate: '10/s', arrivals: 'constant', count: 50 });
    expect(plan.dueNs).toHaveLength(50);
    expect(plan.dueNs.at(-1)).toBe(4.9e9);
  });

  test('a closed loop ends at its duration or its number of requests', () => {
    const plan = planClosed('closed', { concurrency: 32, duration: '20s', maxRequests: 1000 });
    expect([plan.concurrency, plan.minDurationNs, plan.maxDurationNs, plan.maxQueries]).toEqual([32, 20e9, 20e9, 1000]);
  });

  test('a duration without a unit that makes sense, or beyond a day, is refused', () => {
    expect(() => planLoad('closed', { duration: '20 parsecs' }, context())).toThrow(/closed|load.duration/);
    expect(() => planLoad('closed', { duration: '25h' }, context())).toThrow(/at most 24h/);
    expect(() => planLoad('open', { rate: '0/s' }, context())).toThrow(/above 0/);
  });
});
