import { z } from 'zod';
import { canonicalDouble, Mt19937 } from '../../../results/stats/index.js';
import { duration } from '../../../results/units.js';

/** A stretch of time over which the rate goes straight from one height to another. Heights are relative to each other. */
export interface Piece {
  readonly ns: number;
  readonly from: number;
  readonly to: number;
}

/** Option of every process whose rate varies: are requests independent (`poisson`), or as even as the rate allows? */
export const spacingOption = () => z.enum(['poisson', 'even']).default('poisson');

/** Option: a length of time above 0. */
export const spanOption = () => duration().refine((ns) => ns >= 1, { error: 'must be longer than nothing' });

/**
 * Gaps in whole ns of a process whose rate follows the pieces, over and over, its mean over them `ratePerSecond`. The k-th
 * request is due when the integral of the rate reaches k (`even`) or the k-th instant of a Poisson process of rate 1: a
 * change of time, exact for any profile. Throws nothing; at least one height is above 0.
 */
export function following(
  pieces: readonly Piece[],
  ratePerSecond: number,
  spacing: 'poisson' | 'even',
  seed: bigint,
): () => number {
  const random = new Mt19937(seed);
  const scale = ratePerSecond / 1e9 / meanHeight(pieces);
  let at = 0;
  let startNs = 0;
  /** Requests since the piece began. */
  let amount = 0;
  let previous = 0;
  return () => {
    amount += spacing === 'even' ? 1 : -Math.log(1 - canonicalDouble(random));
    for (let count = countOf(pieces[at]!, scale); amount > count + EDGE; count = countOf(pieces[at]!, scale)) {
      amount -= count;
      startNs += pieces[at]!.ns;
      at = (at + 1) % pieces.length;
    }
    const due = Math.round(startNs + offset(pieces[at]!, amount / scale));
    const gap = Math.max(0, due - previous);
    previous += gap;
    return gap;
  };
}

/** A request on the border of two pieces belongs to the first: the second may have the rate 0. */
const EDGE = 1e-9;

function meanHeight(pieces: readonly Piece[]): number {
  const area = pieces.reduce((sum, { ns, from, to }) => sum + (ns * (from + to)) / 2, 0);
  return area / pieces.reduce((sum, { ns }) => sum + ns, 0);
}

function countOf({ ns, from, to }: Piece, scale: number): number {
  return (scale * ns * (from + to)) / 2;
}

/** Where the area under the piece reaches `area`: the root of from·x + (to − from)/(2·ns)·x², in the form that loses no digits. */
function offset({ ns, from, to }: Piece, area: number): number {
  if (area <= 0) return 0;
  const root = Math.sqrt(Math.max(0, from * from + (2 * (to - from) * area) / ns));
  return Math.min(ns, (2 * area) / (from + root));
}
