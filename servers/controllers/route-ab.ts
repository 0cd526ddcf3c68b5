import { z } from 'zod';
import { experimentHash } from '../strategies/support/hash.js';
import { count } from '../strategies/support/options.js';
import { defineController } from './contract.js';
import { answering } from './support/steps.js';

const options = z.strictObject({
  experiment: z.string(),
  arms: z
    .array(z.strictObject({ name: z.string(), basisPoints: count() }))
    .refine((arms) => arms.reduce((sum, arm) => sum + arm.basisPoints, 0) === 10_000, {
      error: "the arms' basisPoints must sum to 10000",
    }),
});

/** Sends each user to one arm, always the same one: the place is a hash of experiment and user. */
export const routeAb = defineController({
  name: 'route-ab',
  summary: 'A/B split by a hash of experiment and user: shares in basis points, sticky without state',
  source: 'FNV-1a bucketing',
  options,
  create: ({ experiment, arms }) =>
    answering('route-ab', z.object({ user: z.string() }), ({ user }) => {
      const hash = experimentHash(experiment, user);
      const bucket = hash % 10_000;
      return { hash, bucket, arm: armAt(arms, bucket) };
    }),
});

/** The first arm whose share, added to those before it, exceeds the bucket. */
function armAt(arms: readonly { readonly name: string; readonly basisPoints: number }[], bucket: number): string {
  let share = 0;
  for (const arm of arms) {
    share += arm.basisPoints;
    if (bucket < share) return arm.name;
  }
  throw new RangeError(`bucket ${bucket} lies outside all arms`);
}
