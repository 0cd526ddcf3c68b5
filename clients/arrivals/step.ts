import { z } from 'zod';
import { defineArrival } from './contract.js';
import { following, followingExactly, type Piece, spacingOption, spanOption } from './support/profile.js';

/** Levels in turn, each for `every`: heights relative to each other, whose mean over a round is the load's rate. */
export const step = defineArrival({
  name: 'step',
  summary: 'Levels of the rate in turn, over and over',
  options: z.strictObject({
    levels: z
      .array(z.number().nonnegative())
      .min(1)
      .max(1000)
      .refine((levels) => levels.some((level) => level > 0), { error: 'must have a level above 0' })
      .default([1, 2, 3]),
    every: spanOption().prefault('5s'),
    spacing: spacingOption(),
  }),
  phases: ['every'],
  create: (options, ratePerSecond, seed) => following(pieces(options), ratePerSecond, options.spacing, seed),
  exact: (options, ratePerSecond, durationNs, seed) =>
    followingExactly(pieces(options), ratePerSecond, durationNs, options.spacing, seed),
});

function pieces({ levels, every }: { readonly levels: readonly number[]; readonly every: number }): Piece[] {
  return levels.map((level) => ({ ns: every, from: level, to: level }));
}
