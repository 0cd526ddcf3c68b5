import { expect, test } from 'vitest';
import { createStrategy, strategies, strategyNamed } from '../../../servers/strategies/registry.js';
import { Fifo } from '../../../servers/strategies/support/fifo.js';

const context = {
  instances: [{ id: 0, speed: 1 }],
  cost: () => 1,
  costOn: () => 1,
  inner: createStrategy,
};

test('names are unique', () => {
  expect(new Set(strategies.map(({ name }) => name)).size).toBe(strategies.length);
});

test('an unknown name is answered with all names', () => {
  expect(() => strategyNamed('batchy', 'systems.a.strategy')).toThrow(
    /^systems\.a\.strategy: there is no strategy "batchy"\. Allowed: serial, instance-group, triton-dynamic/,
  );
});

test('every problem of the options is named at once', () => {
  const make = () =>
    createStrategy('triton-dynamic', { maxBatchSize: 0, maxQueueDelay: '5 parsecs', colour: 1 }, context);
  expect(make).toThrow(/triton-dynamic\.maxBatchSize/);
  expect(make).toThrow(/triton-dynamic\.maxQueueDelay: "5 parsecs" must be a duration/);
  expect(make).toThrow(/"colour"\. Allowed: maxBatchSize, preferredBatchSize, /);
});

test('a FIFO gives back in order what went in, across growth and wrap-around', () => {
  const fifo = new Fifo<number>();
  const out: number[] = [];
  for (let i = 0; i < 100; i++) {
    fifo.push(i);
    if (i % 3 === 0) out.push(fifo.shift()!);
  }
  while (fifo.length > 0) out.push(fifo.shift()!);
  expect(out).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(fifo.shift()).toBeUndefined();
});

test('removal and insertion in the middle of a FIFO keep the order of the rest', () => {
  const fifo = new Fifo<number>();
  for (let i = 0; i < 10; i++) fifo.push(i);
  expect([fifo.removeAt(2), fifo.removeAt(6), fifo.remove(9), fifo.remove(42)]).toEqual([2, 7, true, false]);
  fifo.insertAt(2, 20);
  fifo.unshift(-1);
  expect([...fifo]).toEqual([-1, 0, 1, 20, 3, 4, 5, 6, 8]);
  expect([fifo.peek(), fifo.at(3), fifo.at(9), fifo.indexOf(8)]).toEqual([-1, 20, undefined, 8]);
});
