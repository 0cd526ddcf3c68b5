import { z } from 'zod';
import { defineArrival } from './contract.js';
import { following, followingExactly, type Piece, spacingOption, spanOption } from './support/profile.js';

/** A rate that grows evenly to `ratio` times its beginning, then starts again: the mean over `over` is the load's rate. */
export const ramp = defineArrival({
  name: 'ramp',
  summary: 'A rate that grows evenly to a multiple of its beginning, over and over',
  options: z.strictObject({
    ratio: z.number().positive().max(1000).default(2),
    over: spanOption().prefault('10s'),
    spacing: spacingOption(),
  }),
  phases: ['over'],
  create: (options, ratePerSecond, seed) => following(pieces(options), ratePerSecond, options.spacing, seed),
  exact: (options, ratePerSecond, durationNs, seed) =>
    followingExactly(pieces(options), ratePerSecond, durationNs, options.spacing, seed),
});

function pieces({ ratio, over }: { readonly ratio: number; readonly over: number }): Piece[] {
  return [{ ns: over, from: 1, to: ratio }];
}
