import { describe, expect, test } from 'vitest';
import { ExecutionEnds } from '../../../servers/executors/ends.js';
import { simulate } from '../../../servers/executors/virtual.js';
import type { Action, Execute, Strategy, StrategyRequest } from '../../../servers/strategies/contract.js';
import { createStrategy } from '../../../servers/strategies/registry.js';

const request = (id: string, at: number): StrategyRequest => ({ id, at, rows: 1 });
const run = (instance: number, durationNs: number, requests: readonly StrategyRequest[], hold = false): Execute => ({
  kind: 'execute',
  instance,
  requests,
  rows: requests.length,
  durationNs,
  hold,
});

/** A strategy that does at each time what a script says, and writes down what it is told. */
function scripted(script: Readonly<Record<number, readonly Action[]>>, wakes: readonly number[] = []) {
  const told: string[] = [];
  let now = -1;
  let next = 0;
  const strategy: Strategy = {
    offer: ({ id }, at) => {
      told.push(`${at} offer ${id}`);
      return id === 'refused' ? 'no' : undefined;
    },
    finished: ({ instance }, at) => told.push(`${at} finished ${instance}`),
    poll: (at) => {
      if (at !== now) next = 0;
      now = at;
      return script[at]?.[next++];
    },
    wakeAt: () => wakes.find((wake) => wake > now),
    cancel: () => false,
    waiting: () => 0,
  };
  return { strategy, told };
}

const simulateScript = (
  script: Readonly<Record<number, readonly Action[]>>,
  requests: readonly StrategyRequest[],
  { wakes = [], until }: { wakes?: readonly number[]; until?: number } = {},
) => {
  const { strategy, told } = scripted(script, wakes);
  const instances = [0, 1].map((id) => ({ id, speed: 1 }));
  const totals = simulate(
    { strategy, instances, durationOf: ({ durationNs = 1 }) => durationNs, requests, until },
    {
      ended: ({ instance }, start, end, killed) =>
        told.push(`${end} ${killed ? 'killed' : 'ended'} ${instance} (${start})`),
      answered: ({ id }, at, source) => told.push(`${at} answered ${id} (${source})`),
      rejected: ({ id }, at, reason) => told.push(`${at} rejected ${id} (${reason})`),
      scaled: (replicas, at) => told.push(`${at} scaled ${replicas}`),
    },
  );
  return { told, totals };
};

describe('the virtual executor', () => {
  const [a, b, c] = [request('a', 0), request('b', 0), request('c', 10)];

  test('at one time reports ends by instance, then arrivals, then polls', () => {
    const { told, totals } = simulateScript({ 0: [run(1, 10, [a]), run(0, 10, [b])], 10: [run(0, 5, [c])] }, [a, b, c]);
    expect(told).toEqual([
      '0 offer a',
      '0 offer b',
      '10 ended 0 (0)',
      '10 answered b (execution)',
      '10 finished 0',
      '10 ended 1 (0)',
      '10 answered a (execution)',
      '10 finished 1',
      '10 offer c',
      '15 ended 0 (10)',
      '15 answered c (execution)',
      '15 finished 0',
    ]);
    expect(totals).toEqual({ events: 6, offered: 3, answered: 3, rejected: 0, executions: 3, rows: 3, lastEndNs: 15 });
  });

  test('a held execution answers nobody; `respond` does', () => {
    const { told, totals } = simulateScript(
      { 0: [run(0, 10, [a], true)], 12: [{ kind: 'respond', request: a, source: 'cache' }] },
      [a],
      { wakes: [12] },
    );
    expect(told.slice(1)).toEqual(['10 ended 0 (0)', '10 finished 0', '12 answered a (cache)']);
    expect(totals.answered).toBe(1);
  });

  test('a killed execution ends now, answers nobody, is not reported as finished, and frees its instance', () => {
    const { told, totals } = simulateScript(
      { 0: [run(0, 100, [a])], 10: [{ kind: 'kill', instance: 0 }, run(0, 5, [c])] },
      [a, c],
    );
    expect(told.slice(2)).toEqual(['10 killed 0 (0)', '15 ended 0 (10)', '15 answered c (execution)', '15 finished 0']);
    expect(totals).toMatchObject({ executions: 2, rows: 2, lastEndNs: 15, answered: 1 });
  });

  test('stops before the first event later than `until`, and counts the planned end of what runs', () => {
    const script = { 0: [run(0, 20, [a]), run(1, 10, [b])] };
    expect(simulateScript(script, [a, b, c], { until: 10 }).totals).toMatchObject({
      offered: 3,
      answered: 1,
      lastEndNs: 20,
    });
    expect(simulateScript(script, [a, b, c], { until: 9 }).totals).toMatchObject({
      offered: 2,
      answered: 0,
      lastEndNs: 20,
    });
  });

  test('counts refusals, rejections and scale actions', () => {
    const actions: Action[] = [
      { kind: 'scale', replicas: 2 },
      { kind: 'reject', request: a, reason: 'late' },
    ];
    const { told, totals } = simulateScript({ 3: actions }, [a, request('refused', 3)]);
    expect(told.slice(1)).toEqual(['3 offer refused', '3 rejected refused (no)', '3 scaled 2', '3 rejected a (late)']);
    expect(totals).toMatchObject({ rejected: 2, executions: 0, lastEndNs: 0 });
  });

  test('reads any iterable of requests', () => {
    function* two() {
      yield a;
      yield c;
    }
    const { strategy } = scripted({});
    const totals = simulate({ strategy, instances: [], durationOf: () => 1, requests: two() });
    expect(totals).toMatchObject({ offered: 2, events: 2 });
  });

  test('takes arrivals that depend on answers: a closed loop of one, 10 ns each, issues at 0, 10 and 20', () => {
    const issued: number[] = [];
    const source = {
      next: 0,
      take: () => {
        issued.push(source.next);
        const taken = request(String(issued.length), source.next);
        source.next = Number.POSITIVE_INFINITY;
        return taken;
      },
    };
    const instances = [{ id: 0, speed: 1 }];
    const context = { instances, cost: () => 10, costOn: () => 10, inner: createStrategy };
    const strategy = createStrategy('serial', {}, context);
    const again = (_: StrategyRequest, at: number) => {
      if (issued.length < 3) source.next = at;
    };
    const totals = simulate({ strategy, instances, durationOf: () => 10, requests: source }, { answered: again });
    expect(issued).toEqual([0, 10, 20]);
    expect(totals).toMatchObject({ offered: 3, answered: 3, lastEndNs: 30 });
  });

  test('refuses what breaks the contract', () => {
    expect(() => simulateScript({ 0: [run(0, 5, [a]), run(0, 5, [b])] }, [a, b])).toThrow(/instance 0, which is busy/);
    expect(() => simulateScript({ 0: [{ kind: 'kill', instance: 1 }] }, [a])).toThrow(/instance 1, where nothing runs/);
    expect(() => simulateScript({}, [c, a])).toThrow(/not sorted/);
    const { strategy } = scripted({});
    const lazy = { ...strategy, wakeAt: () => 0 };
    expect(() => simulate({ strategy: lazy, instances: [], durationOf: () => 1, requests: [a] })).toThrow(
      /not later than now/,
    );
  });

  test('ends a strategy that would go on for ever', () => {
    const { strategy } = scripted({});
    let now = 0;
    const restless = {
      ...strategy,
      poll: (at: number) => {
        now = at;
        return undefined;
      },
      wakeAt: () => now + 1,
    };
    expect(() => simulate({ strategy: restless, instances: [], durationOf: () => 1, requests: [a] })).toThrow(
      /asks to be woken without an end/,
    );
    const reject: Action = { kind: 'reject', request: a, reason: 'again' };
    const babbling = { ...strategy, poll: () => reject };
    expect(() => simulate({ strategy: babbling, instances: [], durationOf: () => 1, requests: [a] })).toThrow(
      /has no end of actions at 0 ns/,
    );
  }, 60_000);
});

test('the ends of many instances come out by time, then by id, whatever was removed in between', () => {
  const ends = new ExecutionEnds(50);
  for (let i = 0; i < 50; i++) ends.add(run(i, 1, []), 0, (i * 7) % 10);
  for (const gone of [0, 13, 26, 49]) ends.remove(gone);
  const order: [end: number, instance: number][] = [];
  while (ends.size > 0) {
    order.push([ends.next(), ends.nextInstance()]);
    ends.removeNext();
  }
  expect(order).toHaveLength(46);
  expect(order).toEqual(order.toSorted(([a, i], [b, j]) => a - b || i - j));
  expect(ends.next()).toBe(Number.POSITIVE_INFINITY);
});
