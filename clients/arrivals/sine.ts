import { z } from 'zod';
import { defineArrival } from './contract.js';
import { following, followingExactly, type Piece, spacingOption, spanOption } from './support/profile.js';

/** Straight pieces of a period: they miss the curve by less than 0.02 % of its amplitude. */
const PIECES = 180;

/** Day and night: a rate that swings by `amplitude` (1 = down to nothing) around the load's, once a `period`. */
export const sine = defineArrival({
  name: 'sine',
  summary: 'A rate that swings around its mean, like day and night',
  options: z.strictObject({
    amplitude: z.number().min(0).max(1).default(0.5),
    period: spanOption().prefault('10s'),
    spacing: spacingOption(),
  }),
  phases: ['period'],
  create: (options, ratePerSecond, seed) => following(pieces(options), ratePerSecond, options.spacing, seed),
  exact: (options, ratePerSecond, durationNs, seed) =>
    followingExactly(pieces(options), ratePerSecond, durationNs, options.spacing, seed),
});

function pieces({ amplitude, period }: { readonly amplitude: number; readonly period: number }): Piece[] {
  const height = (i: number) => 1 + amplitude * Math.sin((2 * Math.PI * i) / PIECES);
  return Array.from({ length: PIECES }, (_, i) => ({ ns: period / PIECES, from: height(i), to: height(i + 1) }));
}
