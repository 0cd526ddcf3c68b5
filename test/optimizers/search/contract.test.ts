import { describe, expect, test } from 'vitest';
import {
  createSearch,
  type Evaluation,
  numberOf,
  type Point,
  runSearch,
  type SearchStep,
  type Space,
  searches,
  sizeOf,
} from '../../../optimizers/search/index.js';
import { FastRandom } from '../../../results/stats/index.js';

const SPACE: Space = {
  dimensions: [
    { name: 'variant', values: ['fp32', 'int8', 'half'], ordered: false },
    { name: 'instances', values: [1, 2, 3], ordered: true },
    { name: 'batch', values: [1, 2, 4, 8], ordered: true },
  ],
};

/** One peak, at (1, 1, 2); the third variant breaks a bound; one point fails. */
function hill(point: Point): Evaluation {
  if (numberOf(SPACE, point) === 7) return { state: 'failed', reason: 'out of memory' };
  const [variant, instances, batch] = point as [number, number, number];
  const rate = 100 - 10 * Math.abs(instances - 1) - 15 * Math.abs(batch - 2) + (variant === 1 ? 20 : 0);
  return { state: 'measured', objectives: [rate, -instances], excess: [variant === 2 ? 0.5 : -0.5] };
}

function run(name: string, budget: number, seed = 1, history?: readonly SearchStep[]) {
  const asked: number[] = [];
  const search = createSearch(
    name,
    {},
    {
      space: SPACE,
      random: new FastRandom(seed),
      budget,
      priors: [{ name: 'other', values: Float64Array.from({ length: sizeOf(SPACE) }, (_, n) => 1 + (n % 5)) }],
      estimate: ([, instances, batch]) => 1 + instances! + batch!,
    },
  );
  const outcome = runSearch({
    space: SPACE,
    search,
    budget,
    history,
    evaluate: async (point) => {
      asked.push(numberOf(SPACE, point));
      return hill(point);
    },
  });
  return outcome.then((result) => ({ ...result, asked }));
}

describe.each(searches.map(({ name }) => name))('%s', (name) => {
  test('asks only for points of the space, none twice, within its budget', async () => {
    const { asked, steps } = await run(name, 20);
    expect(asked.length).toBeLessThanOrEqual(20);
    expect(new Set(asked).size).toBe(asked.length);
    expect(steps.length).toBe(asked.length);
    for (const { point } of steps)
      for (const [d, value] of point.entries()) expect(SPACE.dimensions[d]!.values[value]).toBeDefined();
  });

  test('asks for the same points again with the same seed', async () => {
    const [first, second] = [await run(name, 15, 7), await run(name, 15, 7)];
    expect(second.asked).toEqual(first.asked);
  });

  test('goes on where an interrupted run ended, without evaluating anything again', async () => {
    const whole = await run(name, 16, 3);
    const resumed = await run(name, 16, 3, whole.steps.slice(0, 9));
    expect(resumed.asked).toEqual(whole.asked.slice(9));
    expect(resumed.steps).toEqual(whole.steps);
  });

  test('finds the peak among all 36 points when it may look at all, and never calls a broken bound best', async () => {
    const { steps, best } = await run(name, 36);
    const evaluation = steps[best!]!.evaluation;
    expect(evaluation).toMatchObject({ objectives: [120, -1], excess: [-0.5] });
  });
});

test('an unknown search is refused with the names there are', () => {
  expect(() => createSearch('bayes', {}, { space: SPACE, random: new FastRandom(1), budget: 1, priors: [] })).toThrow(
    /there is no search "bayes".*bayesian/s,
  );
});
