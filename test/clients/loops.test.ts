import { describe, expect, test } from 'vitest';
import { createArrival } from '../../clients/arrivals/index.js';
import { ClosedLoop } from '../../clients/closed-loop.js';
import type { LoadPlan } from '../../clients/loads/contract.js';
import { openPlan } from '../../clients/loads/open-plan.js';
import { OpenLoop } from '../../clients/open-loop.js';
import { Requests } from '../../clients/requests.js';
import { dueTimes } from '../../clients/schedule.js';
import type { CallResult } from '../../clients/transports/contract.js';
import { RecordTable } from '../../results/record.js';
import { FakeTimeline } from '../fakes/fake-timeline.js';
import { fakeTransport } from '../fakes/fake-transport.js';

const MS = 1e6;
type AnswerAt = (sentNs: number, n: number) => number;

function runOpen(dueNs: Float64Array, answerAt: AnswerAt, cap?: number, maxDurationNs = Number.POSITIVE_INFINITY) {
  const timeline = new FakeTimeline();
  const transport = fakeTransport(timeline, answerAt);
  const plan = openPlan('constant', dueNs, new Uint32Array(dueNs.length), cap);
  const requests = new Requests(new RecordTable(dueNs.length), 0, false, timeline, transport, () => undefined);
  const ends: (string | null)[] = [];
  const loop = new OpenLoop({
    plan,
    originNs: 0,
    maxDurationNs,
    timeline,
    send: requests.send,
    ended: (reason) => ends.push(reason),
  });
  loop.start();
  timeline.run();
  return { ...latencies(requests.table), ends, mostInFlight: transport.mostInFlight, issued: loop.issued };
}

function runClosed(
  settings: Partial<Extract<LoadPlan, { mode: 'closed' }>>,
  answerAt: AnswerAt,
  result?: Partial<CallResult>,
) {
  const timeline = new FakeTimeline();
  const transport = fakeTransport(timeline, answerAt, result);
  const requests = new Requests(new RecordTable(20_000), 0, false, timeline, transport, () => undefined);
  const ends: (string | null)[] = [];
  new ClosedLoop({
    plan: {
      mode: 'closed',
      concurrency: 1,
      perQuery: 1,
      sampleIndex: Uint32Array.of(0, 1, 2),
      minDurationNs: 1e12,
      minQueries: 1,
      maxDurationNs: 1e12,
      maxQueries: Number.POSITIVE_INFINITY,
      ...settings,
    },
    originNs: 0,
    capacity: 20_000,
    timeline,
    send: requests.send,
    ended: (reason) => ends.push(reason),
  }).start();
  timeline.run();
  return { ...latencies(requests.table), table: requests.table, ends, mostInFlight: transport.mostInFlight };
}

function latencies(table: RecordTable) {
  const rows = Array.from({ length: table.length }, (_, row) => row);
  return {
    latencyMs: rows.map((row) => (table.completedNs[row]! - table.dueNs[row]!) / MS),
    latenessMs: rows.map((row) => (table.issuedNs[row]! - table.dueNs[row]!) / MS),
    dueMs: rows.map((row) => table.dueNs[row]! / MS),
  };
}

function percentile(values: readonly number[], p: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * p)]!;
}

/** Answers at once, but nothing between 9 s and 10 s of every 10 s. */
function stalling(sentNs: number): number {
  const within = sentNs % 10e9;
  return within >= 9e9 ? sentNs - within + 10e9 : sentNs;
}

const constant = (rate: number, seconds: number) =>
  dueTimes(createArrival('constant', {}, rate, 0n), { durationNs: 0, minCount: rate * seconds });

describe('open loop', () => {
  test('a 1 s stall in every 10 s at 200/s shows as p95 = 500 ms and p99 = 900 ms', () => {
    const { latencyMs, latenessMs } = runOpen(constant(200, 100), stalling);
    expect(latencyMs).toHaveLength(20_000);
    expect(percentile(latencyMs, 0.95)).toBe(505);
    expect(percentile(latencyMs, 0.99)).toBe(905);
    expect(percentile(latencyMs, 0.5)).toBe(0);
    expect(Math.max(...latenessMs)).toBe(0);
  });

  test('a 100 ms stall shows as 100, 90, 80 … ms in the requests due every 10 ms behind it', () => {
    const stall = (sentNs: number) => Math.max(sentNs, 100 * MS);
    const { latencyMs } = runOpen(constant(100, 1), stall);
    expect(latencyMs.slice(0, 12)).toEqual([100, 90, 80, 70, 60, 50, 40, 30, 20, 10, 0, 0]);
  });

  test('what a cap of 1 holds back shows as lateness, and latency counts from the due time', () => {
    const { latencyMs, latenessMs, mostInFlight } = runOpen(
      Float64Array.of(0, 0, 0, 50 * MS),
      (sent) => sent + 10 * MS,
      1,
    );
    expect(mostInFlight).toBe(1);
    expect(latenessMs).toEqual([0, 10, 20, 0]);
    expect(latencyMs).toEqual([10, 20, 30, 10]);
  });

  test('rate and cap together: 100/s, 2 in flight, 30 ms each: three in 30 ms are due, two go, and the queue grows by a third', () => {
    // Due at 0, 10, 20 …; sent at 0, 10, 30, 40, 60, 70 …: the k-th pair at 30·k and 30·k + 10.
    const { latencyMs, latenessMs, mostInFlight } = runOpen(constant(100, 0.06), (sent) => sent + 30 * MS, 2);
    expect(mostInFlight).toBe(2);
    expect(latenessMs).toEqual([0, 0, 10, 10, 20, 20]);
    expect(latencyMs).toEqual([30, 30, 40, 40, 50, 50]);
  });

  test('a cap that is never reached changes nothing', () => {
    const free = runOpen(constant(100, 0.1), (sent) => sent + 15 * MS);
    const capped = runOpen(constant(100, 0.1), (sent) => sent + 15 * MS, 2);
    expect(free.mostInFlight).toBe(2);
    expect([capped.latencyMs, capped.latenessMs]).toEqual([free.latencyMs, free.latenessMs]);
  });

  test('a burst of 1,000 due at once goes out completely, in order', () => {
    const { latenessMs, ends, mostInFlight } = runOpen(new Float64Array(1000), (sent) => sent + MS);
    expect(mostInFlight).toBe(1000);
    expect(latenessMs.every((late) => late === 0)).toBe(true);
    expect(ends).toEqual([null]);
  });

  test('it stops at its maximum duration and says so', () => {
    const { ends, issued } = runOpen(new Float64Array(100), (sent) => sent + 10 * MS, 1, 95 * MS);
    expect(ends).toEqual(['maximum duration']);
    expect(issued).toBe(10);
  });
});

describe('closed loop', () => {
  test('a request is due when the one before it in its slot completed', () => {
    const { dueMs, latencyMs, table } = runClosed({ maxQueries: 4 }, (sent) => sent + 5 * MS);
    expect(dueMs).toEqual([0, 5, 10, 15]);
    expect(latencyMs).toEqual([5, 5, 5, 5]);
    expect([...table.sampleIndex.slice(0, 4)]).toEqual([0, 1, 2, 0]);
  });

  test('a concurrency of 32 keeps 32 in flight', () => {
    const { mostInFlight, dueMs } = runClosed({ concurrency: 32, maxQueries: 320 }, (sent) => sent + 5 * MS);
    expect(mostInFlight).toBe(32);
    expect(dueMs.filter((due) => due === 45)).toHaveLength(32);
  });

  test('the eight requests of a multi-stream query share due time and number; the slowest starts the next query', () => {
    const { dueMs, table } = runClosed({ perQuery: 8, maxQueries: 2 }, (sent, n) => sent + (n % 8) * MS);
    expect(dueMs).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 7, 7, 7, 7, 7, 7, 7, 7]);
    expect([...table.query.slice(0, 16)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
  });

  test('it ends when both minima are met, tested at the last issue', () => {
    const byTime = runClosed({ minDurationNs: 20 * MS, minQueries: 2 }, (sent) => sent + 5 * MS);
    expect([byTime.dueMs.at(-1), byTime.ends]).toEqual([20, [null]]);
    const byCount = runClosed({ minDurationNs: 20 * MS, minQueries: 10 }, (sent) => sent + 5 * MS);
    expect([byCount.dueMs.length, byCount.ends]).toEqual([10, [null]]);
  });

  test('minima that a slow server does not meet end at the maximum duration, and it says so', () => {
    const { ends, dueMs } = runClosed(
      { minDurationNs: 0, minQueries: 100, maxDurationNs: 50 * MS },
      (sent) => sent + 10 * MS,
    );
    expect([ends, dueMs.length]).toEqual([['maximum duration'], 5]);
  });

  test('a server that only fails ends it after 10,000 failures in a row', () => {
    const { ends, dueMs } = runClosed({}, (sent) => sent, { outcome: 'failed' });
    expect([ends, dueMs.length]).toEqual([['10000 failures in a row'], 10_000]);
  });
});
