import { describe, expect, test } from 'vitest';
import { encodeSequences } from '../../clients/encoded.js';
import { type LoadPlan, planLoad } from '../../clients/loads/index.js';
import { OpenLoop } from '../../clients/open-loop.js';
import { Requests } from '../../clients/requests.js';
import { scheduleSha256 } from '../../clients/schedule.js';
import { mostProcesses, shareOf } from '../../clients/share.js';
import type { CallResult } from '../../clients/transports/contract.js';
import { RecordTable } from '../../results/record.js';
import { SimulatedLoad } from '../../scenarios/simulated-load.js';
import type { InferRequest } from '../../servers/protocol/index.js';
import { FakeTimeline } from '../fakes/fake-timeline.js';
import { fakeTransport } from '../fakes/fake-transport.js';

const MS = 1e6;
const CONTEXT = {
  scheduleSeed: 1n,
  sampleSeed: 2n,
  totalSampleCount: 8,
  performanceSampleCount: 8,
  preset: 'quick',
} as const;
type Open = Extract<LoadPlan, { mode: 'open' }>;

/** Sessions every 100 ms, `count` of them. */
function planOf(steps: readonly object[], options: object = {}, count = 2): Open {
  const rate = `${10 * steps.length}/s`;
  const all = { steps, rate, arrivals: 'constant', duration: `${100 * count}ms`, ...options };
  return planLoad('sessions', all, CONTEXT) as Open;
}

function run(plan: Open, answerAt: (sentNs: number, n: number) => number, result?: Partial<CallResult>) {
  const timeline = new FakeTimeline();
  const transport = fakeTransport(timeline, answerAt, result);
  const { send, table } = new Requests(new RecordTable(500), 0, false, timeline, transport, () => undefined);
  const ends: (string | null)[] = [];
  const ended = (reason: string | null) => ends.push(reason);
  new OpenLoop({ plan, originNs: 0, maxDurationNs: 1e12, timeline, send, ended }).start();
  timeline.run();
  const rows = Array.from({ length: table.length }, (_, row) => row);
  return {
    due: rows.map((row) => table.dueNs[row]! / MS),
    late: rows.map((row) => (table.issuedNs[row]! - table.dueNs[row]!) / MS),
    latency: rows.map((row) => (table.completedNs[row]! - table.dueNs[row]!) / MS),
    session: rows.map((row) => table.query[row]),
    mostInFlight: transport.mostInFlight,
    ends,
  };
}

const CHAIN = [{ name: 'ask' }, { name: 'refine', think: '20ms' }, { name: 'buy', think: '5ms' }];
/** One question, two branches at once, and what needs both. */
const DIAMOND = [
  { name: 'ask' },
  { name: 'left', after: ['ask'], think: '1ms' },
  { name: 'right', after: ['ask'], think: '3ms' },
  { name: 'join', after: ['left', 'right'], think: '10ms' },
];

describe('sessions of dependent requests', () => {
  test('a step is due when the one before it is answered and its think time has passed', () => {
    // Answers take 10 ms: due at 0, 10 + 20, 40 + 5; the second session 100 ms later.
    const found = run(planOf(CHAIN), (sent) => sent + 10 * MS);
    expect(found.due).toEqual([0, 30, 45, 100, 130, 145]);
    expect(found.latency).toEqual([10, 10, 10, 10, 10, 10]);
    expect(found.session).toEqual([0, 0, 0, 1, 1, 1]);
    expect(found.ends).toEqual([null]);
  });

  test('branches run side by side, and what needs both waits for the later', () => {
    // 0; left at 10 + 1, right at 10 + 3; join at 23 + 10.
    const found = run(planOf(DIAMOND, {}, 1), (sent) => sent + 10 * MS);
    expect(found.due).toEqual([0, 11, 13, 33]);
    expect(found.mostInFlight).toBe(2);
  });

  test('a slow answer moves what depends on it, not the sessions that arrive meanwhile', () => {
    const found = run(planOf(CHAIN, {}, 3), (sent, n) => sent + (n === 0 ? 150 : 10) * MS);
    const of = (session: number) => found.due.filter((_, row) => found.session[row] === session);
    expect([of(0), of(1), of(2)]).toEqual([
      [0, 170, 185],
      [100, 130, 145],
      [200, 230, 245],
    ]);
  });

  test('what a cap holds back is late, and its latency counts from its due time', () => {
    const twice = [{ name: 'a' }, { name: 'b', after: [] }];
    const found = run(planOf(twice, { concurrency: 1 }, 1), (sent) => sent + 10 * MS);
    expect([found.due, found.late, found.latency]).toEqual([
      [0, 0],
      [0, 10],
      [10, 20],
    ]);
  });

  test('a step that fails ends its session, and the loop ends all the same', () => {
    const found = run(planOf(CHAIN, {}, 3), (sent) => sent + MS, { outcome: 'failed' });
    expect([found.due, found.ends]).toEqual([[0, 100, 200], [null]]);
  });

  test('virtual time follows the same rule', () => {
    const load = new SimulatedLoad(planOf(DIAMOND));
    const due: number[] = [];
    while (load.next < Number.POSITIVE_INFINITY) {
      const open = [load.take()];
      while (load.next <= open[0]!.at + 2 * MS) open.push(load.take());
      due.push(...open.map((request) => request.dueNs / MS));
      for (const request of open) load.completed(request, request.at + 10 * MS, false);
    }
    expect(due).toEqual([0, 11, 13, 33, 100, 111, 113, 133]);
  });

  test('to the server each is a sequence: its number, the first, the last; a warm-up request is one of its own', () => {
    const plan = planOf(CHAIN, { sequence: true });
    const transport = { encode: ({ parameters }: InferRequest) => parameters } as never;
    const samples = { performanceSampleCount: 2, inputs: () => [] } as never;
    const encode = encodeSequences(transport, samples, 'main', plan);
    const of = (id: number, start: boolean, end: boolean) => ({
      ...{ sequence_id: id, sequence_start: start, sequence_end: end },
    });
    expect([1, 2, 3, 4, 5, 6].map((kind) => encode(0, kind))).toEqual([
      ...[of(1, true, false), of(1, false, false), of(1, false, true)],
      ...[of(2, true, false), of(2, false, false), of(2, false, true)],
    ]);
    expect([encode(0, 0), encode(1, 0)]).toEqual([of(3, true, true), of(4, true, true)]);
  });

  test('its rate counts requests, and its hash knows its steps', () => {
    const plan = planLoad('sessions', { rate: '300/s', steps: CHAIN, duration: '2s' }, CONTEXT) as Open;
    expect(plan.dueNs.length).toBe(600);
    const other = planOf([CHAIN[0]!, { ...CHAIN[1], think: '21ms' }, CHAIN[2]!]);
    expect(scheduleSha256(other)).not.toBe(scheduleSha256(planOf(CHAIN)));
  });

  test('several processes share whole sessions, and no two give a sequence the same number', () => {
    const plan = planOf(CHAIN, { sequence: true }, 5);
    expect(mostProcesses(plan)).toBe(5);
    const dealt = [0, 1].map((index) => shareOf(plan, { index, of: 2 }) as Open);
    expect(dealt.map(({ query }) => [...query])).toEqual([
      [0, 0, 0, 2, 2, 2, 4, 4, 4],
      [1, 1, 1, 3, 3, 3],
    ]);
    expect(run(dealt[1]!, (sentNs) => sentNs + 10 * MS).due).toEqual([100, 130, 145, 300, 330, 345]);
    const ids = dealt.flatMap((share) => {
      const encode = encodeSequences(
        { encode: ({ parameters }: InferRequest) => parameters!.sequence_id } as never,
        { inputs: () => [], performanceSampleCount: 2 } as never,
        'm',
        share,
      );
      return [...new Set([...share.query.keys()].map((k) => encode(0, k + 1))), encode(0, 0), encode(1, 0)];
    });
    expect(new Set(ids).size).toBe(5 + 2 * 2);
  });

  test.each<[object[], object, RegExp]>([
    [[{ name: 'a' }, { name: 'a' }], {}, /names "a" twice/],
    [[{ name: 'a', after: ['b'] }, { name: 'b' }], {}, /"b" is no earlier step; allowed: none, it is the first/],
    [DIAMOND, { sequence: true }, /must follow the step before it: the load is a sequence/],
    [[], {}, /load\.steps/],
  ])('%j is refused', (steps, options, message) => {
    expect(() => planLoad('sessions', { rate: 1, steps, ...options }, CONTEXT)).toThrow(message);
  });
});

test('the steps of a session with consecutive samples take pieces that follow each other, around the end too', () => {
  const plan = planOf([{ name: 'a' }, { name: 'b' }, { name: 'c' }], { sequence: true, consecutive: true }, 20);
  const starts = new Set<number>();
  for (let k = 0; k < plan.sampleIndex.length; k += 3) {
    const [first, ...others] = plan.sampleIndex.subarray(k, k + 3);
    starts.add(first!);
    expect(others).toEqual([(first! + 1) % 8, (first! + 2) % 8]);
  }
  expect(starts.size).toBeGreaterThan(1);
});
