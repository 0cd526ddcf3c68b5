import { z } from 'zod';
import { defineArrival } from './contract.js';
import { following, followingExactly, type Piece, spacingOption, spanOption } from './support/profile.js';

/**
 * A steady rate, and in each `every` one spike of `height` times that rate: it begins after `at` and lasts `length`. The
 * mean over `every` is the load's rate, so the steady part lies below it.
 */
export const spike = defineArrival({
  name: 'spike',
  summary: 'A steady rate with a short, high spike in every period',
  options: z
    .strictObject({
      height: z.number().min(1).max(10_000).default(10),
      every: spanOption().prefault('10s'),
      at: spanOption().prefault('5s'),
      length: spanOption().prefault('500ms'),
      spacing: spacingOption(),
    })
    .refine(({ every, at, length }) => at + length < every, { error: 'at + length must be less than every' }),
  phases: ['every', 'at', 'length'],
  create: (options, ratePerSecond, seed) => following(pieces(options), ratePerSecond, options.spacing, seed),
  exact: (options, ratePerSecond, durationNs, seed) =>
    followingExactly(pieces(options), ratePerSecond, durationNs, options.spacing, seed),
});

interface Shape {
  readonly height: number;
  readonly every: number;
  readonly at: number;
  readonly length: number;
}

function pieces({ height, every, at, length }: Shape): Piece[] {
  return [
    { ns: at, from: 1, to: 1 },
    { ns: length, from: height, to: height },
    { ns: every - at - length, from: 1, to: 1 },
  ];
}
