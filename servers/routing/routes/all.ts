import { z } from 'zod';
import { defineRoute } from '../contract.js';

/** Everything to the one pool there is. */
export const all = defineRoute({
  name: 'all',
  summary: 'Every request to the replicas of the one pool',
  source: 'NGINX upstream',
  needsOther: false,
  options: z.strictObject({}),
  create: (_options, [pool]) => ({
    choose: () => ({ pool: pool! }),
    status: () => ({ changes: [] }),
  }),
});
