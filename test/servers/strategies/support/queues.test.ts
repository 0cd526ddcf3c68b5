import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StrategyRequest } from '../../../../servers/strategies/contract.js';
import { ClientRound } from '../../../../servers/strategies/support/client-round.js';
import { DeadlineQueue, deadlineBy } from '../../../../servers/strategies/support/deadline-queue.js';

const request = (id: string, more: Partial<StrategyRequest> = {}): StrategyRequest => ({ id, at: 0, rows: 1, ...more });

test('a deadline queue is a list sorted by deadline, first come first among equals, whatever is done to it', () => {
  const deadline = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(undefined));
  const operation = fc.oneof(
    { weight: 4, arbitrary: fc.record({ op: fc.constant('add' as const), deadline }) },
    fc.record({ op: fc.constant('shift' as const) }),
    fc.record({
      op: fc.constant('take' as const),
      from: fc.integer({ min: 0, max: 20 }),
      count: fc.integer({ min: 0, max: 9 }),
    }),
    fc.record({ op: fc.constant('remove' as const), nth: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const deadlineOf = deadlineBy(0);
      const queue = new DeadlineQueue(deadlineOf);
      let list: StrategyRequest[] = [];
      for (const [i, step] of operations.entries()) {
        if (step.op === 'add') {
          const added = request(String(i), { deadlineNs: step.deadline });
          queue.add(added);
          list = [...list, added].sort((a, b) => deadlineOf(a) - deadlineOf(b) || 0);
        } else if (step.op === 'shift') expect(queue.shift()).toBe(list.shift());
        else if (step.op === 'take') {
          const eligible = list.filter((each) => deadlineOf(each) >= step.from);
          expect(queue.countFrom(step.from)).toBe(eligible.length);
          const taken = eligible.slice(0, step.count);
          expect(queue.takeFrom(step.from, step.count)).toEqual(taken);
          list = list.filter((each) => !taken.includes(each));
        } else {
          const removed = list[step.nth % Math.max(1, list.length)] ?? request('stranger');
          expect(queue.remove(removed)).toBe(list.includes(removed));
          list = list.filter((each) => each !== removed);
        }
        expect(queue.length).toBe(list.length);
        expect(queue.earliest).toBe(list[0] === undefined ? Number.POSITIVE_INFINITY : deadlineOf(list[0]));
      }
      expect([...queue]).toEqual(list);
    }),
    { seed: 3, numRuns: 500 },
  );
});

test('it stays sorted over many buckets, and a batch may be taken across them', () => {
  const queue = new DeadlineQueue(deadlineBy(0));
  // 7 is prime to 5,000: every deadline once, scattered.
  for (let i = 0; i < 5000; i++) queue.add(request(String(i), { deadlineNs: (i * 7) % 5000 }));
  expect(queue.countFrom(1000)).toBe(4000);
  expect(queue.takeFrom(1000, 3000).map(({ deadlineNs }) => deadlineNs)).toEqual(
    Array.from({ length: 3000 }, (_, i) => 1000 + i),
  );
  expect(queue.takeFrom(999, 2).map(({ deadlineNs }) => deadlineNs)).toEqual([999, 4000]);
  expect(queue.countFrom(6000)).toBe(0);
  expect(queue.length).toBe(1998);
});

test('equal deadlines over many buckets stay in order, and the last can be removed', () => {
  const queue = new DeadlineQueue(deadlineBy(10));
  const all = Array.from({ length: 1500 }, (_, i) => request(String(i)));
  for (const each of all) queue.add(each);
  expect(queue.remove(all[1499]!)).toBe(true);
  expect(queue.remove(all[1499]!)).toBe(false);
  expect([...queue]).toEqual(all.slice(0, 1499));
});

test('clients take turns in the order of their first appearance, whatever comes and goes', () => {
  const operation = fc.oneof(
    fc.record({ op: fc.constant('push' as const), client: fc.constantFrom('a', 'b', 'c', 'd', undefined) }),
    fc.record({ op: fc.constant('shift' as const) }),
    fc.record({ op: fc.constant('remove' as const), nth: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const round = new ClientRound();
      const clients: (string | undefined)[] = [];
      let waiting: StrategyRequest[] = [];
      let pointer = 0;
      for (const [i, step] of operations.entries()) {
        if (step.op === 'push') {
          const pushed = request(String(i), { client: step.client });
          if (!clients.includes(step.client)) clients.push(step.client);
          round.push(pushed);
          waiting.push(pushed);
        } else if (step.op === 'remove') {
          const removed = waiting[step.nth % Math.max(1, waiting.length)] ?? request('stranger', { client: 'z' });
          expect(round.remove(removed)).toBe(waiting.includes(removed));
          waiting = waiting.filter((each) => each !== removed);
        } else {
          const order = clients.map((_, k) => (pointer + k) % clients.length);
          const turn = order.find((k) => waiting.some(({ client }) => client === clients[k]));
          const expected = turn === undefined ? undefined : waiting.find(({ client }) => client === clients[turn]);
          if (turn !== undefined) pointer = (turn + 1) % clients.length;
          expect(round.shift()).toBe(expected);
          waiting = waiting.filter((each) => each !== expected);
        }
        expect(round.length).toBe(waiting.length);
      }
    }),
    { seed: 3, numRuns: 500 },
  );
});
