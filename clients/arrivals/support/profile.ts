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

/** Option: a length of time. Shorter ones would only be stepped over, some of them for hours. */
export const spanOption = () => duration({ least: '1us' });

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
  const step = steps(spacing, seed);
  const after = instants(pieces, ratePerSecond);
  let previous = 0;
  return () => {
    const gap = Math.max(0, after(step()) - previous);
    previous += gap;
    return gap;
  };
}

/**
 * Due times of the same process over exactly `durationNs`: as many as the rate's integral over that time (a part of a
 * round offers what that part offers), the steps scaled so that the last ends with the time. The profile stays where it is.
 */
export function followingExactly(
  pieces: readonly Piece[],
  ratePerSecond: number,
  durationNs: number,
  spacing: 'poisson' | 'even',
  seed: bigint,
): Float64Array {
  const expected = amountOver(pieces, ratePerSecond, durationNs);
  const count = Math.max(1, Math.round(expected));
  const draw = steps(spacing, seed);
  const drawn = Float64Array.from({ length: count }, draw);
  const factor = expected / drawn.reduce((sum, step) => sum + step, 0);
  const after = instants(pieces, ratePerSecond);
  const due = new Float64Array(count);
  for (let k = 1; k < count; k++) due[k] = Math.max(due[k - 1]!, Math.min(after(drawn[k - 1]! * factor), durationNs));
  return due;
}

function steps(spacing: 'poisson' | 'even', seed: bigint): () => number {
  if (spacing === 'even') return () => 1;
  const random = new Mt19937(seed);
  return () => -Math.log(1 - canonicalDouble(random));
}

/** A function that goes on by so many requests and gives the instant, in whole ns. */
function instants(pieces: readonly Piece[], ratePerSecond: number): (step: number) => number {
  const scale = scaleOf(pieces, ratePerSecond);
  let at = 0;
  let startNs = 0;
  /** Requests since the piece began. */
  let amount = 0;
  return (step) => {
    amount += step;
    for (let count = countOf(pieces[at]!, scale); amount > count + EDGE; count = countOf(pieces[at]!, scale)) {
      amount -= count;
      startNs += pieces[at]!.ns;
      at = (at + 1) % pieces.length;
    }
    return Math.round(startNs + offset(pieces[at]!, amount / scale));
  };
}

/** Requests that the profile offers over its first `durationNs`. */
function amountOver(pieces: readonly Piece[], ratePerSecond: number, durationNs: number): number {
  const scale = scaleOf(pieces, ratePerSecond);
  const roundNs = pieces.reduce((sum, { ns }) => sum + ns, 0);
  const rounds = Math.floor(durationNs / roundNs);
  let left = durationNs - rounds * roundNs;
  let amount = rounds * pieces.reduce((sum, piece) => sum + countOf(piece, scale), 0);
  for (const { ns, from, to } of pieces) {
    const part = Math.min(ns, left);
    amount += countOf({ ns: part, from, to: from + ((to - from) * part) / ns }, scale);
    left -= part;
  }
  return amount;
}

/** Requests a ns for a height of 1. */
function scaleOf(pieces: readonly Piece[], ratePerSecond: number): number {
  return ratePerSecond / 1e9 / meanHeight(pieces);
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
