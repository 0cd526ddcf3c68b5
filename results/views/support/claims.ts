import { type PairedRatio, pairedRatio } from '../../stats/index.js';
import type { Interval } from '../../summary.js';
import { type Figure, type Merged, merge } from './figures.js';
import type { Group } from './groups.js';

/** Fewer pairs than this make an observation, not a claim. */
export const PAIRS_FOR_A_CLAIM = 5;

export interface Contender {
  readonly group: Group;
  readonly merged: Merged;
}

/** A contender beside the best one. */
export interface Rival extends Contender {
  /** Best / rival over pairs of the same repeat. */
  readonly ratio: PairedRatio;
  /**
   * `behind`: the interval of the ratio excludes 1 over enough pairs. `hinted`: over too few; or there is one pair, and the
   * two trials' own intervals lie apart. `level`: anything else.
   */
  readonly standing: 'behind' | 'hinted' | 'level';
}

/** What may be said about the best of several systems in one figure. */
export interface Claim {
  readonly figure: Figure;
  readonly best: Contender;
  /** Next best first. */
  readonly rivals: readonly Rival[];
  /** `shown`: every rival is behind. `hinted`: none is level, some are hinted. `level`: some rival is. `alone`: there is none. */
  readonly strength: 'shown' | 'hinted' | 'level' | 'alone';
}

/** Ranks the groups of one arena. Undefined where none has the figure. */
export function claim(arena: readonly Group[], figure: Figure, seed: bigint): Claim | undefined {
  const sign = figure.better === 'lower' ? 1 : -1;
  const [best, ...others] = arena
    .flatMap((group) => {
      const merged = merge(group, figure);
      return merged === undefined ? [] : [{ group, merged }];
    })
    .sort((a, b) => sign * (a.merged.value - b.merged.value));
  if (best === undefined) return undefined;
  const rivals = others.map((other) => rivalOf(best.group, other, figure, seed));
  return { figure, best, rivals, strength: strengthOf(rivals) };
}

function strengthOf(rivals: readonly Rival[]): Claim['strength'] {
  if (rivals.length === 0) return 'alone';
  if (rivals.some(({ standing }) => standing === 'level')) return 'level';
  return rivals.every(({ standing }) => standing === 'behind') ? 'shown' : 'hinted';
}

function rivalOf(best: Group, other: Contender, figure: Figure, seed: bigint): Rival {
  const ratio = ratioOf(best, other.group, figure, seed);
  return { ...other, ratio, standing: standingOf(ratio, best, other.group, figure) };
}

function standingOf({ interval, pairs }: PairedRatio, best: Group, other: Group, figure: Figure): Rival['standing'] {
  if (interval === null) return apart(best, other, figure) ? 'hinted' : 'level';
  if (interval.low <= 1 && interval.high >= 1) return 'level';
  return pairs >= PAIRS_FOR_A_CLAIM ? 'behind' : 'hinted';
}

/** Whether the intervals that the first trials of both have of themselves do not overlap; false where one has none. */
function apart(a: Group, b: Group, figure: Figure): boolean {
  const [left, right] = [ownInterval(a, figure), ownInterval(b, figure)];
  return left !== undefined && right !== undefined && (left.high < right.low || right.high < left.low);
}

function ownInterval(group: Group, figure: Figure): Interval | undefined {
  const [first] = group.summaries;
  return first && figure.interval(first);
}

/** a / b over the repeats that both have. */
function ratioOf(a: Group, b: Group, figure: Figure, seed: bigint): PairedRatio {
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
