import { z } from 'zod';
import { createController } from '../../controllers/index.js';
import { defineRoute } from '../contract.js';

const options = z.strictObject({
  experiment: z.string().default('ab'),
  /** Of the other pool. */
  basisPoints: z.number().int().min(1).max(9999).default(5000),
});

/** Each user to one of two pools, always the same one: the controller `route-ab` in front of real replicas. */
export const ab = defineRoute({
  name: 'ab',
  summary: 'A/B: each user to one of two pools, always the same one',
  source: 'FNV-1a bucketing, as the controller route-ab',
  needsOther: true,
  options,
  create({ experiment, basisPoints }, [primary, other]) {
    const shares = { [primary!]: 10_000 - basisPoints, [other!]: basisPoints };
    const arms = Object.entries(shares).map(([name, share]) => ({ name, basisPoints: share }));
    const controller = createController('route-ab', { experiment, arms });
    return {
      choose: (user) => ({ pool: (controller.step({ user }) as { readonly arm: string }).arm }),
      status: () => ({ basisPoints: shares, fixed: true, changes: [] }),
    };
  },
});
