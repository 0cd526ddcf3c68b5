import { z } from 'zod';
import { canonicalDouble, type RandomSource, uniformInt } from '../../results/stats/index.js';
import { defineSearch, type Evaluation, type Point, type Space } from './contract.js';
import { numberOf, pointAt, randomPoint, sizeOf } from './space.js';
import { spreadDesign } from './support/design.js';
import { crowding, fronts } from './support/dominance.js';
import { allFeatures } from './support/features.js';

interface Member {
  readonly point: Point;
  readonly evaluation: Evaluation;
}

/**
 * Generations of a small population: parents by tournament (front, then crowding), crossover value by value, mutation by a
 * step (ordered) or another name; the best of parents and children live on. No point is asked for twice.
 */
export const nsga2 = defineSearch({
  name: 'nsga2',
  summary: 'A genetic search for the whole front of several objectives: what nothing else beats in every way',
  source:
    'Deb et al., NSGA-II (2002), with its constraint domination; uniform crossover and step mutation for whole numbers',
  multiObjective: true,
  options: z.strictObject({
    population: z.number().int().min(4).max(200).default(12),
    crossover: z.number().min(0).max(1).default(0.9).describe('probability that two parents mix'),
    mutation: z.number().min(0).max(1).optional().describe('probability a dimension; default 1 / dimensions'),
  }),
  *create({ population, crossover, mutation }, { space, random }) {
    const rate = mutation ?? 1 / space.dimensions.length;
    const known = new Set<number>();
    let members: Member[] = [];
    for (const number of spreadDesign(allFeatures(space), population, random)) {
      known.add(number);
      const point = pointAt(space, number);
      members.push({ point, evaluation: yield point });
    }
    while (known.size < sizeOf(space)) {
      const ranks = ranksOf(members);
      const children: Member[] = [];
      while (children.length < population && known.size < sizeOf(space)) {
        const point = freshChild(members, ranks, { space, random, crossover, rate, known });
        known.add(numberOf(space, point));
        children.push({ point, evaluation: yield point });
      }
      members = survivors([...members, ...children], population);
    }
  },
});

interface Rank {
  readonly front: number;
  readonly crowding: number;
}

function ranksOf(members: readonly Member[]): Rank[] {
  const evaluations = members.map(({ evaluation }) => evaluation);
  const ranks: Rank[] = new Array(members.length);
  fronts(evaluations).forEach((front, number) => {
    for (const [i, distance] of crowding(front, evaluations)) ranks[i] = { front: number, crowding: distance };
  });
  return ranks;
}

function compareRanks(a: Rank, b: Rank): number {
  return a.front - b.front || (a.crowding === b.crowding ? 0 : b.crowding - a.crowding);
}

function survivors(members: readonly Member[], count: number): Member[] {
  const ranks = ranksOf(members);
  const order = members.map((_, i) => i).sort((a, b) => compareRanks(ranks[a]!, ranks[b]!) || a - b);
  return order.slice(0, count).map((i) => members[i]!);
}

interface Breeding {
  readonly space: Space;
  readonly random: RandomSource;
  readonly crossover: number;
  readonly rate: number;
  readonly known: ReadonlySet<number>;
}

/** A child at a point that is not known; after many tries any such point. */
function freshChild(members: readonly Member[], ranks: readonly Rank[], breeding: Breeding): Point {
  const { space, random, known } = breeding;
  for (let attempt = 0; attempt < 30; attempt++) {
    const child = childOf(tournament(members, ranks, random), tournament(members, ranks, random), breeding);
    if (!known.has(numberOf(space, child))) return child;
  }
  for (;;) {
    const point = randomPoint(space, random);
    if (!known.has(numberOf(space, point))) return point;
  }
}

function tournament(members: readonly Member[], ranks: readonly Rank[], random: RandomSource): Point {
  const a = uniformInt(random, members.length);
  const b = uniformInt(random, members.length);
  return members[compareRanks(ranks[a]!, ranks[b]!) <= 0 ? a : b]!.point;
}

function childOf(a: Point, b: Point, { space, random, crossover, rate }: Breeding): Point {
  const mixes = canonicalDouble(random) < crossover;
  return a.map((value, d) => {
    const inherited = mixes && canonicalDouble(random) < 0.5 ? b[d]! : value;
    return canonicalDouble(random) < rate ? mutated(space, d, inherited, random) : inherited;
  });
}

function mutated({ dimensions }: Space, d: number, value: number, random: RandomSource): number {
  const { values, ordered } = dimensions[d]!;
  if (!ordered) return uniformInt(random, values.length);
  const step = 1 + uniformInt(random, 2);
  const moved = canonicalDouble(random) < 0.5 ? value - step : value + step;
  return Math.min(values.length - 1, Math.max(0, moved));
}
