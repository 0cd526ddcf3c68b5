import { describe, expect, test } from 'vitest';
import { ClientsLoop, ClientsQueue } from '../../clients/clients-loop.js';
import { type LoadPlan, planLoad } from '../../clients/loads/index.js';
import { FakeTimeline } from '../fakes/fake-timeline.js';

const MS = 1e6;
const CONTEXT = {
  scheduleSeed: 1n,
  sampleSeed: 2n,
  totalSampleCount: 10,
  performanceSampleCount: 10,
  preset: 'quick',
} as const;

function planOf(clients: readonly unknown[]): Extract<LoadPlan, { mode: 'open' }> {
  const plan = planLoad('clients', { duration: '100ms', clients }, CONTEXT);
  if (plan.mode !== 'open') throw new Error('not open');
  return plan;
}

const EVERY_20 = { tenant: 'rt', class: 'rt', rate: '50/s', arrivals: 'constant' };

describe('clients side by side', () => {
  test('one at 50/s and one who asks when answered, each answer after 10 ms: 5 and 10 requests in 100 ms', () => {
    const plan = planOf([EVERY_20, { tenant: 'be', class: 'be', concurrency: 1 }]);
    const sent = play(plan, 10 * MS);
    const due = (kind: number) => sent.filter((each) => each.kind === kind).map(({ dueNs }) => dueNs / MS);
    expect(due(2)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(due(1)).toHaveLength(5);
    const gaps = due(1)
      .slice(1)
      .map((at, i) => at - due(1)[i]!);
    for (const gap of gaps) expect(gap).toBeCloseTo(20, 6);
  });

  test('what comes at a rate does not depend on who else is there; a delay shifts it', () => {
    const alone = planOf([EVERY_20]).dueNs;
    const beside = planOf([EVERY_20, { tenant: 'be', concurrency: 3 }]).dueNs;
    expect(beside).toEqual(alone);
    expect(planOf([{ ...EVERY_20, delay: '5ms' }]).dueNs).toEqual(alone.map((at) => at + 5 * MS));
  });

  test('two in flight stay two; a failure is asked again after 1 ms', () => {
    const plan = planOf([{ tenant: 'be', concurrency: 2 }]);
    const queue = new ClientsQueue(plan);
    expect([queue.take().kind, queue.take().kind, queue.nextDueNs]).toEqual([1, 1, Number.POSITIVE_INFINITY]);
    queue.completed(1, 7 * MS, false);
    expect(queue.nextDueNs).toBe(8 * MS);
    queue.completed(1, 3 * MS, true);
    expect(queue.take()).toMatchObject({ dueNs: 3 * MS, isClosed: true });
    expect(queue.isOver(99 * MS)).toBe(false);
    expect(queue.isOver(100 * MS)).toBe(true);
  });

  test('names must differ, and a client has a rate or a concurrency', () => {
    const wrong = (clients: readonly unknown[]) => () => planOf(clients);
    expect(wrong([EVERY_20, EVERY_20])).toThrow('each tenant once');
    expect(wrong([{ tenant: 'a' }])).toThrow();
    expect(wrong([{ ...EVERY_20, concurrency: 1 }])).toThrow();
  });
});

/** Every request is answered after so long. */
function play(plan: Extract<LoadPlan, { mode: 'open' }>, answerNs: number) {
  const timeline = new FakeTimeline();
  const sent: { readonly dueNs: number; readonly kind: number }[] = [];
  let ended: string | null | undefined;
  const loop = new ClientsLoop({
    plan,
    originNs: 0,
    maxDurationNs: 1e9,
    capacity: 1000,
    timeline,
    send: (_sample, _query, dueNs, done, kind) => {
      sent.push({ dueNs, kind });
      timeline.at(timeline.now() + answerNs, () => done(timeline.now(), true));
    },
    ended: (reason) => {
      ended = reason;
    },
  });
  loop.start();
  timeline.run();
  expect(ended).toBeNull();
  return sent;
}
