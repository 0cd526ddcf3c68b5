import { describe, expect, it } from 'vitest';
import { RecordTable } from '../../results/record.js';
import { summarise } from '../../results/summarise.js';
import { CLOSED, factsOf, OFFLINE, type Row, recordsOf, SERVER, steady } from './facts.js';

describe('a summary', () => {
  it('counts latency from the due time: a 100 ms stall shows as 100, 90, 80 … ms in the requests due every 10 ms behind it', () => {
    const rows = Array.from({ length: 11 }, (_, i): Row => ({ due: i * 10, issued: 100, completed: 100 }));
    const { latencyNs, sendLatencyNs, latenessNs } = summarise(factsOf(rows));
    expect(latencyNs).toMatchObject({ max: 100e6, min: 0, mean: 50e6, p50: { value: 50e6 } });
    expect(sendLatencyNs).toMatchObject({ max: 0 });
    expect(latenessNs).toMatchObject({ max: 100e6 });
  });

  it('has the stall test’s truth: 200/s and a server that blocks 1 s in every 10 s make p95 500 ms and p99 900 ms, to one gap of 5 ms', () => {
    const latency = (i: number) => Math.max(0, 1000 - (i % 2000) * 5);
    const found = summarise(factsOf(steady(12_000, 5, latency))).latencyNs;
    expect(found.p50.value).toBe(0);
    expect(found.p95).toMatchObject({ value: 505e6 });
    expect(found.p99).toMatchObject({ value: 905e6 });
  });

  it('leaves warm-up and errors out of the latencies and counts them apart', () => {
    const rows: Row[] = [
      { due: -10, completed: 500, warmUp: true },
      { due: 0, completed: 1 },
      { due: 10, completed: 900, outcome: 'timedOut' },
      { due: 20, completed: 21, outcome: 'rejected', error: 'queue-full' },
      { due: 30 },
      { due: 40, issued: Number.NaN },
    ];
    const found = summarise(factsOf(rows));
    expect(found.latencyNs).toMatchObject({ count: 1, max: 1e6 });
    expect(found.counts).toEqual({
      ...{ offered: 5, issued: 4, ok: 1, rejected: 1, failed: 0, timedOut: 1, cancelled: 0, warmUp: 1, samples: 1 },
    });
    expect(found.errors).toEqual({ timedOut: 1, 'queue-full': 1, unfinished: 1 });
  });

  it('gives a schedule (n − 1) / last due and (n − 1) / completion of the last: 101 requests every 10 ms are 100/s', () => {
    const found = summarise(factsOf(steady(101, 10, 0)));
    expect(found.offeredPerSecond).toBeCloseTo(100, 9);
    expect(found.throughputPerSecond).toBeCloseTo(100, 9);
    expect(found.throughputInterval!.low).toBeLessThanOrEqual(100);
    expect(found.throughputInterval!.high).toBeGreaterThanOrEqual(100);
  });

  it('gives a closed loop n / last completion and no offered rate: 100 answers in 2 s are 50/s', () => {
    const found = summarise(factsOf(steady(100, 20, 20), { load: CLOSED }));
    expect(found.throughputPerSecond).toBeCloseTo(50, 9);
    expect(found.offeredPerSecond).toBeNull();
  });

  it('counts goodput within the target: half of 100/s within 5 ms is 50/s', () => {
    const found = summarise(
      factsOf(
        steady(101, 10, (i) => (i % 2 === 1 ? 6 : 0)),
        { targets: { p99LatencyNs: 5e6 } },
      ),
    );
    expect(found.goodputPerSecond).toBeCloseTo((100 * 51) / 101, 9);
    expect(summarise(factsOf(steady(101, 10, 0))).goodputPerSecond).toBeNull();
  });

  it('takes the slowest sample as a query’s latency in multi-stream', () => {
    const rows = [1, 2, 9, 3, 4, 5].map(
      (latency, i): Row => ({ due: 0, completed: latency, query: Math.floor(i / 3) }),
    );
    const found = summarise(factsOf(rows, { load: { ...CLOSED, perQuery: true } }));
    expect(found.latencyNs).toMatchObject({ count: 2, min: 5e6, max: 9e6 });
  });

  it('drops a multi-stream query of which one sample failed', () => {
    const rows: Row[] = [
      { due: 0, completed: 1, query: 0 },
      { due: 0, completed: 2, query: 0, outcome: 'failed' },
      { due: 3, completed: 7, query: 1 },
    ];
    const found = summarise(factsOf(rows, { load: { ...CLOSED, perQuery: true } }));
    expect(found.latencyNs).toMatchObject({ count: 1, max: 4e6 });
  });

  it('reads each execution once: batches of 4, 4 and 1 from nine records', () => {
    const ids = [1, 1, 1, 1, 2, 2, 2, 2, 3];
    const rows = ids.map((id, i): Row => ({ due: i, completed: i + 1, execution: [id, id === 3 ? 1 : 4] }));
    const found = summarise(factsOf(rows));
    expect(found.batches).toEqual([
      { size: 1, count: 1 },
      { size: 4, count: 2 },
    ]);
    expect(found).toMatchObject({ batchesFrom: 'records', meanBatch: 3 });
  });

  it('falls back to the difference of the server’s counters', () => {
    const stats = (size: number, count: number) => ({ batch_size: size, compute_infer: { count } });
    const found = summarise(
      factsOf(steady(3, 1, 1), {
        statistics: { before: { batch_stats: [stats(1, 5)] }, after: { batch_stats: [stats(1, 5), stats(8, 2)] } },
      }),
    );
    expect(found).toMatchObject({ batchesFrom: 'statistics', batches: [{ size: 8, count: 2 }], meanBatch: 8 });
  });

  it('judges answers: 3 of 4 right is 75 % with its Wilson interval', () => {
    const rows = [true, true, false, true].map((correct, i): Row => ({ due: i, completed: i + 1, correct }));
    const found = summarise(factsOf(rows)).accuracy!;
    expect(found).toMatchObject({ metric: 'top-1', value: 0.75, correct: 3, total: 4 });
    expect(found.interval.low).toBeCloseTo(0.3006, 3);
    expect(summarise(factsOf(steady(3, 1, 1))).accuracy).toBeNull();
  });

  it('adds the load process from what the drive told, unless a monitor saw it', () => {
    expect(summarise(factsOf(steady(3, 1, 1))).processes).toMatchObject([{ role: 'load', userSeconds: 1 }]);
  });

  it('survives records without a single request', () => {
    const found = summarise(factsOf([]));
    expect(found).toMatchObject({ throughputPerSecond: null, closure: null, meanBatch: null });
    expect(found.verdict.state).toBe('INVALID');
  });

  it('is made of a million records without sorting anything twice', () => {
    const n = 1_000_000;
    const records = new RecordTable(n);
    records.length = n;
    for (let i = 0; i < n; i++) {
      records.dueNs[i] = i * 1e5;
      records.issuedNs[i] = i * 1e5 + (i % 7);
      records.completedNs[i] = i * 1e5 + 1e6 + ((i * 7919) % 100_003);
      records.outcome[i] = 0;
    }
    const found = summarise({ ...factsOf([]), records });
    expect(found.latencyNs.count).toBe(n);
    expect(found.latencyNs.p50.value).toBeCloseTo(1e6 + 50_000, -3);
  });
});

describe('the primary metric', () => {
  const single = { ...CLOSED, primary: { metric: 'p90Latency', percentile: 0.9 } } as const;

  it('of single-stream is the early-stopping estimate: of 64 queries the second slowest', () => {
    const found = summarise(
      factsOf(
        steady(64, 100, (i) => i + 1),
        { load: single },
      ),
    );
    expect(found.primary).toEqual({ name: 'p90Latency', value: 64e6, unit: 'ns' });
  });

  it('says what it needs where there are too few', () => {
    const found = summarise(factsOf(steady(63, 100, 1), { load: single }));
    expect(found.primary).toMatchObject({ value: null, reason: 'n too small (needs 64)' });
  });

  it('of offline is samples / max latency: 500 samples in 2 s are 250/s', () => {
    const rows = Array.from(
      { length: 500 },
      (_, i): Row => ({ due: 0, issued: i * 4, completed: (i + 1) * 4, query: 0 }),
    );
    const found = summarise(factsOf(rows, { load: OFFLINE }));
    expect(found.primary).toEqual({ name: 'sampleThroughput', value: 250, unit: 'samples/s' });
  });

  it('of server is the rate asked for, if it stays VALID', () => {
    const load = { ...SERVER, ratePerSecond: 100 };
    expect(summarise(factsOf(steady(700, 10, 1), { load })).primary).toEqual({
      name: 'targetRate',
      value: 100,
      unit: '/s',
    });
    expect(summarise(factsOf(steady(700, 10, 20), { load })).primary).toMatchObject({ value: null });
  });
});

describe('components', () => {
  const row = (due: number, network: number): Row => ({
    due,
    issued: due + 1,
    firstByte: due + 1 + 10 + network,
    completed: due + 1 + 10 + network + 2,
    server: [1, 4, 1, 2, 1, 1],
  });

  it('and the residual sum to the end-to-end time: 1 + 10 + 2 explained of 16 ms leaves 3', () => {
    const { components, closure } = summarise(factsOf([row(0, 3)]));
    const means = Object.fromEntries(components.map(({ name, latencyNs }) => [name, latencyNs.mean! / 1e6]));
    expect(means).toEqual({
      ...{ lateness: 1, receive: 1, queue: 4, computeInput: 1, computeInfer: 2, computeOutput: 1, serialise: 1 },
      ...{ download: 2, residual: 3 },
    });
    expect(closure).toBeCloseTo(13 / 16, 12);
  });

  it('keep a negative residual: where components overlap it shows', () => {
    const { components, closure } = summarise(factsOf([row(0, -2)]));
    expect(components.find(({ name }) => name === 'residual')!.latencyNs.mean).toBe(-2e6);
    expect(closure).toBeGreaterThan(1);
  });

  /** Issued at 1, sent at 1.5, 10.5 ms in the server of which 10 are stamped, 3 ms on the way, 2 ms to download: 17 in all. */
  const stamped: Row = { ...row(0, 0), sent: 1.5, serverTotal: 10.5, firstByte: 15, completed: 17 };

  it('tell the network from what nobody stamped: 3 ms and .5 of 17, closures of 16.5 / 17 with it and 13.5 / 17 without', () => {
    const { components, closure, closureWithoutNetwork } = summarise(factsOf([stamped]));
    const means = Object.fromEntries(components.map(({ name, latencyNs }) => [name, latencyNs.mean! / 1e6]));
    expect(means).toEqual({
      ...{
        lateness: 1,
        send: 0.5,
        receive: 1,
        queue: 4,
        computeInput: 1,
        computeInfer: 2,
        computeOutput: 1,
        serialise: 1,
      },
      ...{ network: 3, download: 2, residual: 0.5 },
    });
    expect(closure).toBeCloseTo(16.5 / 17, 12);
    expect(closureWithoutNetwork).toBeCloseTo(13.5 / 17, 12);
  });

  it('keep a negative network: 4 ms of sending that the server was already reading are in `send` and in `receive`', () => {
    const { components, closure } = summarise(factsOf([{ ...stamped, sent: 5.5, firstByte: 12, completed: 14 }]));
    expect(components.find(({ name }) => name === 'network')!.latencyNs.mean).toBe(-4e6);
    expect(closure).toBeCloseTo(13.5 / 14, 12);
  });

  it('show components that the server counts twice as a negative residual and a closure above 1', () => {
    const { components, closure } = summarise(factsOf([{ ...stamped, serverTotal: 9 }]));
    expect(components.find(({ name }) => name === 'residual')!.latencyNs.mean).toBe(-1e6);
    expect(closure).toBeCloseTo(18 / 17, 12);
  });

  it('close alike with and without a network that nobody measured', () => {
    const { components, closure, closureWithoutNetwork } = summarise(factsOf([row(0, 3)]));
    expect(components.map(({ name }) => name)).not.toContain('network');
    expect(closureWithoutNetwork).toBe(closure);
  });

  it('show what grows in the slowest 1 %: two of 200 requests waited 104 ms in the queue', () => {
    const rows = Array.from({ length: 200 }, (_, i): Row => {
      const queue = i === 50 || i === 150 ? 104 : 4;
      return { due: i, completed: i + queue + 6, server: [1, queue, 1, 2, 1, 1] };
    });
    const { components } = summarise(factsOf(rows));
    const tail = Object.fromEntries(components.map(({ name, tailMeanNs }) => [name, tailMeanNs! / 1e6]));
    expect(tail).toMatchObject({ queue: 104, computeInfer: 2, residual: 0 });
  });

  it('are absent where the server does not tell', () => {
    expect(summarise(factsOf(steady(5, 1, 1)))).toMatchObject({ components: [], closure: null });
  });
});

describe('records', () => {
  it('that several load processes merged out of order are put in order of due time', () => {
    const rows: Row[] = [
      { due: 20, completed: 21 },
      { due: 0, completed: 1 },
      { due: 10, completed: 11 },
    ];
    expect(summarise({ ...factsOf(rows), records: recordsOf(rows) }).offeredPerSecond).toBeCloseTo(100, 9);
  });
});
