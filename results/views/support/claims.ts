import { MIN_REPEATS } from '../../compare.js';
import {
  benjaminiHochberg,
  FALSE_DISCOVERY_RATE,
  noiseFloor,
  type PairedRatio,
  pairedRatio,
  repeatNoise,
} from '../../stats/index.js';
import type { Interval } from '../../summary.js';
import { type Figure, type Merged, merge } from './figures.js';
import type { Group } from './groups.js';

/** Fewer pairs than this make an observation, not a claim. */
export const PAIRS_FOR_A_CLAIM = MIN_REPEATS;

export interface Contender {
  readonly group: Group;
  readonly merged: Merged;
}

/** The least for an interval of ratios that says anything. */
const PAIRS_FOR_AN_INTERVAL = 3;

/** A contender beside the best one. */
export interface Rival extends Contender {
  /** Best / rival over pairs of the same repeat. */
  readonly ratio: PairedRatio;
  /**
   * `behind`: the interval of the ratio excludes 1 over enough pairs, all VALID, and the shift exceeds what a system differs
   * from itself. `hinted`: over too few, or some INVALID, or not beyond chance among all comparisons of the report; or there
   * are only one or two pairs, in each of which the two trials' own intervals lie apart, the same way round. `level`:
   * anything else.
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

/** Two groups of one system under two names, in one arena: what it differs from itself. */
type TwinGroups = readonly [Group, Group] | undefined;

/** Ranks the groups of one arena. Undefined where none has the figure. */
export function claim(arena: readonly Group[], figure: Figure, seed: bigint, twins?: TwinGroups): Claim | undefined {
  const sign = figure.better === 'lower' ? 1 : -1;
  const [best, ...others] = arena
    .flatMap((group) => {
      const merged = merge(group, figure);
      return merged === undefined ? [] : [{ group, merged }];
    })
    .sort((a, b) => sign * (a.merged.value - b.merged.value));
  if (best === undefined) return undefined;
  const rivals = others.map((other) => rivalOf(best.group, other, figure, seed, twins));
  return { figure, best, rivals, strength: strengthOf(rivals) };
}

/** The same claims where several are made at once: what does not stand among all their comparisons is hinted, not shown. */
export function amongAll(claims: readonly Claim[]): Claim[] {
  const adjusted = benjaminiHochberg(claims.flatMap(({ rivals }) => rivals.map(({ ratio }) => ratio.pValue)));
  let next = 0;
  return claims.map((each) => {
    const rivals = each.rivals.map((rival): Rival => {
      const p = adjusted[next++]!;
      return rival.standing === 'behind' && p !== null && p > FALSE_DISCOVERY_RATE
        ? { ...rival, standing: 'hinted' }
        : rival;
    });
    return { ...each, rivals, strength: strengthOf(rivals) };
  });
}

function strengthOf(rivals: readonly Rival[]): Claim['strength'] {
  if (rivals.length === 0) return 'alone';
  if (rivals.some(({ standing }) => standing === 'level')) return 'level';
  return rivals.every(({ standing }) => standing === 'behind') ? 'shown' : 'hinted';
}

function rivalOf(best: Group, other: Contender, figure: Figure, seed: bigint, twins: TwinGroups): Rival {
  const pairs = pairsOf(best, other.group, figure);
  const ratio = pairedRatio(...pairs, seed);
  const standing = standingOf(ratio, best, other.group, figure);
  const floor = twins ? noiseFloor(...pairsOf(...twins, figure)) : repeatNoise(...pairs);
  const within = ratio.ratio !== null && floor !== null && Math.max(ratio.ratio, 1 / ratio.ratio) <= floor;
  return { ...other, ratio, standing: standing === 'behind' && within ? 'level' : standing };
}

function standingOf({ interval, pairs }: PairedRatio, best: Group, other: Group, figure: Figure): Rival['standing'] {
  if (interval === null || pairs < PAIRS_FOR_AN_INTERVAL) return apart(best, other, figure) ? 'hinted' : 'level';
  if (interval.low <= 1 && interval.high >= 1) return 'level';
  return pairs >= PAIRS_FOR_A_CLAIM && best.invalid + other.invalid === 0 ? 'behind' : 'hinted';
}

/** Whether in each common repeat the trials' own intervals do not overlap, the best one on the better side. */
function apart(best: Group, other: Group, figure: Figure): boolean {
  const rivals = new Map(other.summaries.map((summary) => [summary.trial.repeat, summary]));
  const common = best.summaries.flatMap((summary) => {
    const rival = rivals.get(summary.trial.repeat);
    return rival ? [[figure.interval(summary), figure.interval(rival)] as const] : [];
  });
  const better = (a: Interval, b: Interval) => (figure.better === 'lower' ? a.high < b.low : a.low > b.high);
  return common.length > 0 && common.every(([a, b]) => a !== undefined && b !== undefined && better(a, b));
}

/** The figures of a and of b over the repeats that both have. */
function pairsOf(a: Group, b: Group, figure: Figure): [a: number[], b: number[]] {
  const right = new Map(b.summaries.map((summary) => [summary.trial.repeat, figure.pick(summary)]));
  const pairs = a.summaries.flatMap((summary) => {
    const [left, other] = [figure.pick(summary), right.get(summary.trial.repeat)];
    return left === null || other === null || other === undefined ? [] : [[left, other] as const];
  });
  return [pairs.map(([left]) => left), pairs.map(([, other]) => other)];
}
