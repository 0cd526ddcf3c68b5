import { z } from 'zod';
import { defineSearch, type Evaluation, type Point, type Space } from './contract.js';
import { slopedMerit } from './merit.js';
import { firstPoint, neighbours, numberOf, samePoint } from './space.js';

/**
 * From the least point: measure a few points of the neighbourhood, chosen to cover values not seen yet; step from their plain
 * centre towards their centre weighted by merit. Where the step leads nowhere, or back to a place visited twice, walk from the
 * best point to its best neighbour until no neighbour is better.
 */
export const hillClimb = defineSearch({
  name: 'hill-climb',
  summary:
    'Steps towards the centre of what is good nearby, then to better neighbours: few trials, a local optimum at worst',
  source:
    'Triton Model Analyzer, quick search (neighborhood.py, quick_run_config_generator.py). Ours: merit also falls with broken constraints; a name is a dimension like any other; the walk over neighbours at the end',
  options: z.strictObject({
    radius: z.number().positive().default(1).describe('of the neighbourhood, in steps'),
    magnitude: z.number().positive().default(5).describe('how far a step goes'),
    minInitialized: z.number().int().min(2).default(3).describe('points of a neighbourhood measured before a step'),
  }),
  *create({ radius, magnitude, minInitialized }, { space }) {
    const known = new Map<number, Known>();
    let home = firstPoint(space);
    yield* visit(home);
    for (const visits = new Map<number, number>(); ; ) {
      const around = neighbourhood(space, home, radius);
      while (seen(around).length < Math.min(minInitialized, around.length))
        yield* visit(
          leastCovered(
            around.filter((point) => !known.has(numberOf(space, point))),
            seen(around).map(({ point }) => point),
          ),
        );
      const next = step(space, home, seen(around), magnitude);
      const times = (visits.get(numberOf(space, next)) ?? 0) + 1;
      if (samePoint(next, home) || times > 2) break;
      visits.set(numberOf(space, next), times);
      yield* visit(next);
      home = next;
    }
    for (let top = best([...known.values()]); ; ) {
      for (const point of neighbours(space, top.point)) yield* visit(point);
      const better = best([...known.values()]);
      if (better === top) return;
      top = better;
    }

    function* visit(point: Point): Generator<Point, void, Evaluation> {
      const number = numberOf(space, point);
      if (!known.has(number)) known.set(number, { point, merit: slopedMerit(yield point) });
    }

    function seen(points: readonly Point[]): Known[] {
      return points.flatMap((point) => known.get(numberOf(space, point)) ?? []);
    }
  },
});

interface Known {
  readonly point: Point;
  readonly merit: number;
}

/** Points within the radius (Euclidean, in steps), home included. */
function neighbourhood({ dimensions }: Space, home: Point, radius: number): Point[] {
  const reach = Math.floor(radius);
  const points = dimensions.reduce<number[][]>(
    (prefixes, { values }, d) =>
      prefixes.flatMap((prefix) => {
        const from = Math.max(0, home[d]! - reach);
        const to = Math.min(values.length - 1, home[d]! + reach);
        return Array.from({ length: to - from + 1 }, (_, i) => [...prefix, from + i]);
      }),
    [[]],
  );
  return points.filter((point) => Math.hypot(...point.map((value, d) => value - home[d]!)) <= radius);
}

/** The point with most values that no known point has; the first of equals. */
function leastCovered(points: readonly Point[], known: readonly Point[]): Point {
  const uncovered = (point: Point) => point.filter((value, d) => known.every((other) => other[d] !== value)).length;
  return points.reduce((chosen, point) => (uncovered(point) > uncovered(chosen) ? point : chosen));
}

function step({ dimensions }: Space, home: Point, known: readonly Known[], magnitude: number): Point {
  const total = known.reduce((sum, { merit }) => sum + merit, 0);
  return dimensions.map(({ values }, d) => {
    const centre = known.reduce((sum, { point }) => sum + point[d]!, 0) / known.length;
    const weighted = total > 0 ? known.reduce((sum, { point, merit }) => sum + point[d]! * merit, 0) / total : centre;
    const moved = home[d]! + Math.round((weighted - centre) * magnitude);
    return Math.min(values.length - 1, Math.max(0, moved));
  });
}

function best(known: readonly Known[]): Known {
  return known.reduce((chosen, each) => (each.merit > chosen.merit ? each : chosen));
}
