import { expect, test } from 'vitest';
import { interferenceOf, jain } from '../../results/interference.js';

const share = (ms: number, okPerSecond = 100) => ({ meanNs: ms * 1e6, okPerSecond });
const load = (name: string, tenants: Readonly<Record<string, ReturnType<typeof share>>>) => ({
  load: name,
  tenants: new Map(Object.entries(tenants)),
});

test('Jain: 1 where all have the same, 1/n where one has all, 0.9 for 1 and 2', () => {
  expect(jain([3, 3, 3])).toBe(1);
  expect(jain([5, 0, 0, 0])).toBe(0.25);
  expect(jain([1, 2])).toBeCloseTo(0.9, 12);
});

test('slow-downs: 2 ms alone and 6 ms beside the other are 3; fairness is of what each keeps', () => {
  const told = interferenceOf([
    load('a', { a: share(2) }),
    load('b', { b: share(10) }),
    load('both', { a: share(6), b: share(10) }),
  ])!;
  expect(told.pair('a', 'b')).toBe(3);
  expect(told.pair('b', 'a')).toBe(1);
  expect(told.fairness).toBeCloseTo((1 / 3 + 1) ** 2 / (2 * (1 / 9 + 1)), 12);
});

test('pairs and all are told apart; a pair that was not run is unknown', () => {
  const told = interferenceOf([
    load('all', { a: share(8), b: share(8), c: share(4) }),
    ...['a', 'b', 'c'].map((name) => load(name, { [name]: share(2) })),
    load('ab', { a: share(4), b: share(6) }),
  ])!;
  expect([told.pair('a', 'b'), told.pair('b', 'a'), told.pair('a', 'c')]).toEqual([2, 3, undefined]);
  expect([...told.slowDowns]).toEqual([
    ['a', 4],
    ['b', 4],
    ['c', 2],
  ]);
});

test('nothing is told where a tenant never ran alone, or nobody ran together', () => {
  expect(interferenceOf([load('a', { a: share(2) }), load('both', { a: share(6), b: share(10) })])).toBeUndefined();
  expect(interferenceOf([load('a', { a: share(2) })])).toBeUndefined();
});
