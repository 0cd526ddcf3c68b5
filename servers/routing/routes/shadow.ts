import { z } from 'zod';
import { bucketOf } from '../../strategies/support/hash.js';
import { count } from '../../strategies/support/options.js';
import { defineRoute } from '../contract.js';

const options = z.strictObject({
  experiment: z.string().default('shadow'),
  mirrorBasisPoints: count().max(10_000).default(10_000),
  /** Copies under way at once; more are dropped: a slow shadow must not fill the gateway's memory. */
  maxShadowQueue: z.number().int().positive().default(64),
  /** Hold the copies' answers against the primary's. */
  compare: z.boolean().default(false),
  /** Numbers that differ by no more than that are equal. */
  tolerance: z.number().nonnegative().default(0),
});

/** The primary pool answers; copies of a share of the requests go to the other pool, whose answers nobody gets. */
export const shadow = defineRoute({
  name: 'shadow',
  summary: 'Shadow: the primary pool answers, copies go to the other pool; answers can be compared, none leaks',
  source: 'Istio and Envoy traffic mirroring, as the strategy route-shadow',
  needsOther: true,
  options,
  create({ experiment, mirrorBasisPoints, maxShadowQueue, compare, tolerance }, [primary, other]) {
    return {
      choose: (user) =>
        bucketOf(experiment, user) < mirrorBasisPoints ? { pool: primary!, mirror: other! } : { pool: primary! },
      status: () => ({ changes: [] }),
      compare: compare ? { tolerance } : undefined,
      maxMirrored: maxShadowQueue,
    };
  },
});
