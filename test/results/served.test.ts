import { expect, test } from 'vitest';
import type { ServerCounters } from '../../results/facts.js';
import { UNKNOWN } from '../../results/record.js';
import { servedSummary } from '../../results/served.js';
import { measuredWindow } from '../../results/window.js';
import { recordsOf, steady } from './facts.js';

/** What a request says of itself. */
interface Said {
  readonly variant?: number;
  readonly loadMs?: number;
  readonly right?: boolean;
  readonly latencyMs?: number;
}

/** Ten requests, one a second in ten seconds: one a tenth. `loads`: the server's count and ns before and after. */
function served(says: (i: number) => Said, loads: readonly (readonly [number, number])[] = []) {
  const records = recordsOf(steady(10, 1000, (i) => says(i).latencyMs ?? 1));
  for (let i = 0; i < 10; i++) {
    const { variant = 0, loadMs = Number.NaN, right } = says(i);
    records.variant[i] = variant;
    records.loadNs[i] = loadMs * 1e6;
    records.correct[i] = right === undefined ? UNKNOWN : Number(right);
  }
  const window = measuredWindow(records, { durationNs: 10e9, scheduled: true, perQuery: false });
  const [before, after] = loads.map(([count, ns]) => ({ servemark_loads: { count, ns } }) as ServerCounters);
  return servedSummary(window, 10e9, before, after);
}

test('a server that tells neither loads nor variants has no such summary', () => {
  expect(served(() => ({}))).toBeUndefined();
});

test('requests that waited for a load are cold: three of ten waited 10, 20 and 60 ms, in the median 20', () => {
  const summary = served((i) => (i < 3 ? { loadMs: [10, 20, 60][i]! } : {}));
  expect(summary).toMatchObject({ warm: 7, cold: 3, loads: null, variants: [], regret: null });
  expect(summary!.loadNs).toMatchObject({ min: 10e6, max: 60e6, mean: 30e6 });
});

test('loads are those between the two looks: 5 − 2, which took 30 ms together; none have no mean', () => {
  const between = (...loads: [number, number][]) => served(() => ({}), loads)!.loads;
  expect(between([2, 10e6], [5, 40e6])).toEqual({ count: 3, meanNs: 10e6 });
  expect(between([2, 10e6], [2, 10e6])).toEqual({ count: 0, meanNs: null });
});

test('variants in order of their numbers, with shares by tenth and their own latency', () => {
  const summary = served((i) => (i < 4 ? { variant: 12, latencyMs: 5 } : { variant: 2, latencyMs: 1 }));
  expect(summary!.variants.map(({ variant, requests, p50Ns }) => [variant, requests, p50Ns])).toEqual([
    [2, 6, 1e6],
    [12, 4, 5e6],
  ]);
  expect(summary!.variants.map(({ shares }) => shares)).toEqual([
    [0, 0, 0, 0, 1, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 0, 0, 0, 0, 0, 0],
  ]);
});

test('regret: the best variant is right in 3 of 4, so that of 8 judged 6 could be right; 4 were', () => {
  const right = [true, true, true, false, true, false, false, false, undefined, undefined];
  const summary = served((i) => {
    const said = right[i];
    return said === undefined ? { variant: 2 } : { variant: i < 4 ? 1 : 2, right: said };
  });
  expect(summary!.variants.map(({ requests, judged, right }) => [requests, judged, right])).toEqual([
    [4, 4, 3],
    [6, 4, 1],
  ]);
  expect(summary!.regret).toBeCloseTo(2, 12);
});
