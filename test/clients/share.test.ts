import { describe, expect, test } from 'vitest';
import { mergeProgress, mergeRecords } from '../../clients/load-merge.js';
import { type LoadPlan, planLoad } from '../../clients/loads/index.js';
import { mostProcesses, numberAsWhole, shareOf } from '../../clients/share.js';
import { RecordTable } from '../../results/record.js';

const CONTEXT = {
  scheduleSeed: 1n,
  sampleSeed: 2n,
  totalSampleCount: 1000,
  performanceSampleCount: 1000,
  preset: 'quick',
} as const;

const shares = (plan: LoadPlan, of: number) => Array.from({ length: of }, (_, index) => shareOf(plan, { index, of }));

/** The first `queries` samples of a closed share, cycling as the loop does. */
const taken = (plan: LoadPlan, queries: number) =>
  Array.from({ length: queries }, (_, i) => plan.sampleIndex[i % plan.sampleIndex.length]!);

describe('a plan dealt out to several processes', () => {
  test('open: request k goes to process k mod 3 at its own due time; nothing is lost or doubled', () => {
    const plan = planLoad('open', { rate: '100/s', count: 100, concurrency: 10 }, CONTEXT);
    const dealt = shares(plan, 3) as Extract<LoadPlan, { mode: 'open' }>[];
    expect(dealt.map((share) => share.dueNs.length)).toEqual([34, 33, 33]);
    expect(dealt.map((share) => share.cap)).toEqual([4, 3, 3]);
    if (plan.mode !== 'open') throw new Error('not open');
    for (let k = 0; k < 100; k++) {
      const share = dealt[k % 3]!;
      const i = Math.floor(k / 3);
      expect([share.dueNs[i], share.sampleIndex[i], share.query[i]]).toEqual([plan.dueNs[k], plan.sampleIndex[k], k]);
    }
  });

  test('closed: 5 in flight over 2 processes are 3 and 2, and any whole rounds of the shares are the first of the sequence', () => {
    const plan = planLoad('closed', { concurrency: 5, maxRequests: 23 }, CONTEXT) as Extract<
      LoadPlan,
      { mode: 'closed' }
    >;
    const [a, b] = shares(plan, 2) as [typeof plan, typeof plan];
    expect([a.concurrency, b.concurrency]).toEqual([3, 2]);
    // 23 queries: 4 rounds of 5, then slots 0 (a), 1 (b), 2 (a).
    expect([a.maxQueries, b.maxQueries]).toEqual([14, 9]);
    expect([a.minQueries, b.minQueries]).toEqual([1, 0]);
    const union = [...taken(a, 14), ...taken(b, 9)].sort((x, y) => x - y);
    expect(union).toEqual([...plan.sampleIndex.slice(0, 23)].sort((x, y) => x - y));
    expect(taken(a, 6)).toEqual([0, 2, 4, 5, 7, 9].map((q) => plan.sampleIndex[q]));
  });

  test('a share cycles through its part of the sequence where the whole would cycle', () => {
    const plan = planLoad('closed', { concurrency: 4 }, CONTEXT);
    const [a] = shares(plan, 4) as [LoadPlan];
    expect(taken(a, a.sampleIndex.length + 1).at(-1)).toBe(plan.sampleIndex[0]);
  });

  test('offline: the one query is dealt out, its requests in flight too', () => {
    const plan = planLoad('offline', { minSamples: 10, concurrency: 4 }, CONTEXT);
    const dealt = shares(plan, 2) as Extract<LoadPlan, { mode: 'open' }>[];
    expect(dealt.map((share) => [share.dueNs.length, share.cap, ...new Set(share.query)])).toEqual([
      [5, 2, 0],
      [5, 2, 0],
    ]);
  });

  test('one in flight can’t be dealt out, and the error says how many can', () => {
    const plan = planLoad('single-stream', {}, CONTEXT);
    expect(mostProcesses(plan)).toBe(1);
    expect(() => shareOf(plan, { index: 0, of: 2 })).toThrow(
      /load processes: 2 for a load that has in flight 1 at most/,
    );
  });

  test('one process has all of it', () => {
    const plan = planLoad('open', { rate: '100/s', count: 10 }, CONTEXT);
    expect(shareOf(plan, { index: 0, of: 1 })).toBe(plan);
  });
});

/** Rows as a load process leaves them: `warm` of warm-up, then one for each due time. */
function part(warm: number, dueNs: readonly number[], codes: readonly string[] = []): RecordTable {
  const table = new RecordTable(warm + dueNs.length);
  table.length = warm + dueNs.length;
  for (let row = 0; row < table.length; row++) {
    table.sequence[row] = row;
    table.query[row] = row;
    table.warmUp[row] = row < warm ? 1 : 0;
    table.dueNs[row] = row < warm ? -100 + row : dueNs[row - warm]!;
    table.error[row] = table.errorNumber(codes[row - warm] ?? '');
  }
  return table;
}

describe('records of several processes', () => {
  test('are merged in the order of the plan, warm-up first, equal due times by their place in it', () => {
    const plan = planLoad('open', { rate: '1/s', count: 6 }, CONTEXT);
    const a = part(1, [0, 20, 20]);
    const b = part(2, [10, 20, 30]);
    numberAsWhole(plan, a, 1, { index: 0, of: 2 });
    numberAsWhole(plan, b, 2, { index: 1, of: 2 });
    // In the plan: 0 (a), 10 (b), 20 (a), 20 (b), 20 (a), 30 (b).
    a.sampleIndex.set([9, 0, 2, 4]);
    b.sampleIndex.set([9, 9, 1, 3, 5]);
    const merged = mergeRecords([a, b]);
    expect([...merged.sampleIndex]).toEqual([9, 9, 9, 0, 1, 2, 3, 4, 5]);
    expect([...merged.warmUp]).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0]);
    expect([...merged.sequence]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('keep their error codes, although each process numbers its own', () => {
    const merged = mergeRecords([part(0, [0, 2], ['queue-full', 'ECONNRESET']), part(0, [1, 3], ['ECONNRESET', ''])]);
    expect([...merged.error].map((code) => merged.errorCodes[code])).toEqual([
      'queue-full',
      'ECONNRESET',
      'ECONNRESET',
      '',
    ]);
  });

  test('queries of a closed loop have numbers that no other share gives', () => {
    const plan = planLoad('closed', { concurrency: 4 }, CONTEXT);
    const [a, b] = [part(0, [0, 1, 2]), part(0, [0, 1, 2])];
    numberAsWhole(plan, a, 0, { index: 0, of: 2 });
    numberAsWhole(plan, b, 0, { index: 1, of: 2 });
    expect(new Set(mergeRecords([a, b]).query).size).toBe(6);
  });
});

test('progress of several processes: the phase of the last, counts added, the highest p99', () => {
  const one = { kind: 'progress', fraction: 0.5, issued: 10, completed: 8, errors: 1, ratePerSecond: 100 } as const;
  const merged = mergeProgress([
    { ...one, phase: 'measuring', p99Ns: 5e6 },
    { ...one, phase: 'warming-up', p99Ns: null, fraction: 0 },
  ]);
  expect(merged).toEqual({
    kind: 'progress',
    phase: 'warming-up',
    fraction: 0.25,
    issued: 20,
    completed: 16,
    errors: 2,
    ratePerSecond: 200,
    p99Ns: 5e6,
  });
});
