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
  create({ experiment, arms }) {
    let sum = 0;
    /** Each arm with the first bucket beyond its own. */
    const ends = arms.map(({ name, basisPoints }) => {
      sum += basisPoints;
      return { name, end: sum };
    });
    return answering('route-ab', z.object({ user: z.string() }), ({ user }) => {
      const hash = experimentHash(experiment, user);
      const bucket = hash % 10_000;
      return { hash, bucket, arm: ends.find(({ end }) => bucket < end)!.name };
    });
  },
});
