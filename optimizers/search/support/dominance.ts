import { betters } from '../../../results/stats/index.js';
import type { Evaluation } from '../contract.js';
import { violation } from '../merit.js';

/** Does `a` beat `b` in no way worse and in one better? What keeps its constraints dominates what does not. */
export function dominates(a: Evaluation, b: Evaluation): boolean {
  if (a.state === 'failed') return false;
  if (b.state === 'failed') return true;
  const broken = violation(a) - violation(b);
  if (violation(a) > 0 || violation(b) > 0) return broken < 0;
  return betters(a.objectives, b.objectives);
}

/**
 * Indices by front: the first holds what nothing dominates, the second what only those do, and so on.
 * Source: Deb et al., A fast and elitist multiobjective genetic algorithm: NSGA-II (2002).
 */
export function fronts(evaluations: readonly Evaluation[]): number[][] {
  const left = new Set(evaluations.keys());
  const found: number[][] = [];
  while (left.size > 0) {
    const front = [...left].filter((i) => ![...left].some((j) => dominates(evaluations[j]!, evaluations[i]!)));
    found.push(front);
    for (const i of front) left.delete(i);
  }
  return found;
}

/** What nothing dominates, constraints kept: the answer of a search with several objectives. */
export function paretoFront(evaluations: readonly Evaluation[]): number[] {
  return (fronts(evaluations)[0] ?? []).filter((i) => violation(evaluations[i]!) === 0);
}

/** How empty it is around each member of a front, in all objectives together; Infinity at the ends. Same source. */
export function crowding(front: readonly number[], evaluations: readonly Evaluation[]): Map<number, number> {
  const distance = new Map(front.map((i) => [i, 0]));
  const objectives = (i: number) => {
    const evaluation = evaluations[i]!;
    return evaluation.state === 'measured' ? evaluation.objectives : [];
  };
  const count = Math.max(0, ...front.map((i) => objectives(i).length));
  for (let k = 0; k < count; k++) {
    const value = (i: number) => objectives(i)[k] ?? Number.NEGATIVE_INFINITY;
    const sorted = [...front].sort((a, b) => value(a) - value(b));
    const range = value(sorted.at(-1)!) - value(sorted[0]!);
    sorted.forEach((i, position) => {
      const before = sorted[position - 1];
      const after = sorted[position + 1];
      const gap = before === undefined || after === undefined ? Number.POSITIVE_INFINITY : value(after) - value(before);
      distance.set(i, distance.get(i)! + (range > 0 ? gap / range : gap === Number.POSITIVE_INFINITY ? gap : 0));
    });
  }
  return distance;
}
