import { z } from 'zod';
import { defineLlmScheduler } from './contract.js';
import { fixedLengthPool, fixedLengthShape, refuseTooLong } from './support/fixed-length.js';
import { admitWhole, schedulerOf } from './support/scheduler.js';

/**
 * Static batching, as FasterTransformer does it: a batch is formed when nothing runs, and nobody joins or leaves it until all
 * are complete. Members that are complete are still computed on, in vain.
 */
export const llmStatic = defineLlmScheduler({
  name: 'llm-static',
  summary: 'Static batching: a batch stays together until its longest answer is complete',
  source: 'FasterTransformer, as in sarathi-serve',
  options: z.strictObject(fixedLengthShape),
  create(options) {
    const pool = fixedLengthPool(options);
    return schedulerOf(pool, {
      refuse: (request) => refuseTooLong(request, options),
      plan: () => (pool.running.length === 0 ? { prefill: admitWhole(pool) } : { decode: pool.running.slice() }),
      endTogether: true,
    });
  },
});
