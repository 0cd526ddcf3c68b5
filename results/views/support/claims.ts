import { type PairedRatio, pairedRatio } from '../../stats/index.js';
import { type Figure, type Merged, merge } from './figures.js';
import type { Group } from './groups.js';

/** Fewer pairs than this make an observation, not a claim. */
export const PAIRS_FOR_A_CLAIM = 5;

export interface Contender {
  readonly group: Group;
  readonly merged: Merged;
}

/** What may be said about the best of several systems in one figure. */
export interface Claim {
  readonly figure: Figure;
  /** Best first. */
  readonly ranking: readonly Contender[];
  /** Best / runner-up over pairs of the same repeat. */
  readonly ratio: PairedRatio;
  /**
   * `shown`: the interval excludes 1 over enough pairs. `hinted`: it excludes 1 over too few, or there is one pair and no
   * interval. `level`: it holds 1. `alone`: nothing to compare with.
   */
  readonly strength: 'shown' | 'hinted' | 'level' | 'alone';
}

/** Ranks the groups of one arena. Undefined where none has the figure. */
export function claim(arena: readonly Group[], figure: Figure, seed: bigint): Claim | undefined {
  const sign = figure.better === 'lower' ? 1 : -1;
  const ranking = arena
    .flatMap((group) => {
      const merged = merge(group, figure);
      return merged === undefined ? [] : [{ group, merged }];
    })
    .sort((a, b) => sign * (a.merged.value - b.merged.value));
  if (ranking.length === 0) return undefined;
  const [best, second] = ranking;
  const ratio = second ? ratioOf(best!.group, second.group, figure, seed) : { ratio: null, interval: null, pairs: 0 };
  return { figure, ranking, ratio, strength: second ? strengthOf(ratio) : 'alone' };
}

/** a / b over the repeats that both have. */
export function ratioOf(a: Group, b: Group, figure: Figure, seed: bigint): PairedRatio {
  const right = new Map(b.summaries.map((summary) => [summary.trial.repeat, figure.pick(summary)]));
  const pairs = a.summaries.flatMap((summary) => {
    const [left, other] = [figure.pick(summary), right.get(summary.trial.repeat)];
    return left === null || other === null || other === undefined ? [] : [[left, other] as const];
  });
  return pairedRatio(
    pairs.map(([left]) => left),
    pairs.map(([, other]) => other),
    seed,
  );
}

function strengthOf({ ratio, interval, pairs }: PairedRatio): Claim['strength'] {
  if (ratio === 1 || (interval && interval.low <= 1 && interval.high >= 1)) return 'level';
  return interval !== null && pairs >= PAIRS_FOR_A_CLAIM ? 'shown' : 'hinted';
}
