import { expect, test } from 'vitest';
import { costModel, costOf, costTable } from '../../../servers/executors/cost.js';

test('one point is a constant', () => {
  expect([1, 7, 1000].map((rows) => costOf([[4, 9]], rows))).toEqual([9, 9, 9]);
});

test('constant up to the first point, linear between points, linear on the last segment beyond the last', () => {
  const table = [
    [2, 100],
    [4, 200],
    [8, 280],
  ] as const;
  expect([1, 2, 3, 4, 5, 8, 10].map((rows) => costOf(table, rows))).toEqual([100, 100, 150, 200, 220, 280, 320]);
});

test('halves are rounded up', () => {
  // 0 + 1·1/2 = 0.5 → 1; falling: 1 − 0.5 = 0.5 → 1.
  expect(
    costOf(
      [
        [1, 0],
        [3, 1],
      ],
      2,
    ),
  ).toBe(1);
  expect(
    costOf(
      [
        [1, 1],
        [3, 0],
      ],
      2,
    ),
  ).toBe(1);
});

test('products beyond 2^53 stay exact', () => {
  // 10^13 ns more over 7 rows, 2001 rows on: 10^13 · 2001 / 7 = 2858571428571428.57… → …429.
  expect(
    costOf(
      [
        [1, 0],
        [8, 1e13],
      ],
      2002,
    ),
  ).toBe(2858571428571429);
  expect(
    costOf(
      [
        [1, 1e13],
        [8, 0],
      ],
      2002,
    ),
  ).toBe(1e13 - 2858571428571429);
});

test('speed multiplies and rounds half up, to at least 1 ns; speed 1 leaves the cost alone', () => {
  const model = costModel(
    [
      { id: 0, speed: 1 },
      { id: 1, speed: 0.5 },
      { id: 2, speed: 0.001 },
    ],
    { cost: [[1, 25]] },
  );
  expect([0, 1, 2].map((instance) => model.costOn(instance, 1))).toEqual([25, 13, 1]);
  expect(model.cost(1)).toBe(25);
});

test('an execution costs its padded rows, by the table of its model; its own duration is taken as it is', () => {
  const model = costModel([{ id: 0, speed: 2 }], {
    cost: [
      [1, 10],
      [2, 20],
    ],
    costs: { m: [[1, 1000]] },
  });
  const request = { id: 'a', at: 0, rows: 1 };
  const execution = { kind: 'execute', instance: 0, requests: [request], rows: 1 } as const;
  expect(model.durationOf(execution)).toBe(20);
  expect(model.durationOf({ ...execution, paddedRows: 2 })).toBe(40);
  expect(model.durationOf({ ...execution, requests: [{ ...request, model: 'm' }] })).toBe(2000);
  expect(model.durationOf({ ...execution, model: 'm' })).toBe(2000);
  expect(model.durationOf({ ...execution, durationNs: 7 })).toBe(7);
});

test('a model without a table is named, with the tables there are', () => {
  const model = costModel([{ id: 0, speed: 1 }], { costs: { m: [[1, 5]] } });
  expect(() => model.cost(1, 'q')).toThrow(/costs\.q: no cost table for model "q"\. Allowed: tables exist for m/);
});

test('the schema wants ascending rows', () => {
  expect(
    costTable.safeParse([
      [1, 5],
      [2, 6],
    ]).success,
  ).toBe(true);
  for (const bad of [
    [],
    [
      [2, 5],
      [2, 6],
    ],
    [[1, 0.5]],
    [[0, 5]],
  ])
    expect(costTable.safeParse(bad).success).toBe(false);
});
