import { expect, test } from 'vitest';
import { MS, play } from './stage.js';

const of = (client: string, id: string, at: number) => ({ id, at, client });
/** One instance, 10 ms an execution. */
const fair = (options: Readonly<Record<string, unknown>>, arrivals: Parameters<typeof play>[1]) =>
  play({ strategy: 'fair-share', options, cost: [[1, 10 * MS]] }, arrivals);
const order = (lines: readonly string[]) => lines.map((line) => line.slice(1, line.indexOf('}')));

const backlog = [
  ...['a1', 'a2', 'a3', 'a4', 'a5', 'a6'].map((id) => of('a', id, 0)),
  ...['b1', 'b2', 'b3'].map((id) => of('b', id, 0)),
];

test('of equal weight tenants take turns, however much one of them has waiting', () => {
  expect(order(fair({}, backlog)).slice(0, 6)).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3']);
});

test('a weight of 2 is two turns for the other’s one', () => {
  expect(order(fair({ tenants: { a: { weight: 2 } } }, backlog))).toEqual([
    ...['a1', 'b1', 'a2', 'a3', 'b2', 'a4', 'a5', 'b3', 'a6'],
  ]);
});

test('who asked nothing has saved nothing: after a long time alone a newcomer takes turns from now on', () => {
  const late = [...Array.from({ length: 12 }, (_, i) => of('a', `a${i}`, 0)), of('b', 'b1', 45), of('b', 'b2', 45)];
  expect(order(fair({}, late)).slice(4, 9)).toEqual(['a4', 'b1', 'a5', 'b2', 'a6']);
});

test('a lower level runs only where no higher one waits', () => {
  const options = { tenants: { a: { priority: 2 } } };
  expect(order(fair(options, backlog))).toEqual(['b1', 'b2', 'b3', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6']);
});

test('a quota of 50/s with bursts of two: of five at once two are taken, and one more 20 ms later', () => {
  const five = [1, 2, 3, 4, 5].map((i) => of('a', `a${i}`, 0));
  const lines = fair({ tenants: { a: { quota: '50/s', burst: 2 } } }, [...five, of('a', 'a6', 20), of('a', 'a7', 21)]);
  expect(lines.filter((line) => line.includes('quota')).length).toBe(4);
  expect(order(lines.filter((line) => line.startsWith('{')))).toEqual(['a1', 'a2', 'a6']);
});

test('batches hold requests of several tenants in the order of their tags', () => {
  expect(order(fair({ maxBatchSize: 4 }, backlog))[0]).toBe('a1,b1,a2,b2');
});
