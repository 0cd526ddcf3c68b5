import { z } from 'zod';
import { defineLlmScheduler } from './contract.js';
import { fixedLengthPool, fixedLengthShape, refuseTooLong } from './support/fixed-length.js';
import { admitWhole, schedulerOf } from './support/scheduler.js';

/**
 * Iteration-level scheduling: whoever is complete leaves after each iteration and whoever waits joins, prompts and decodes in
 * one pass. Memory is reserved for the longest possible sequence. Source: Orca (OSDI 2022).
 */
export const llmOrca = defineLlmScheduler({
  name: 'llm-orca',
  summary: 'Iteration-level batching: prompts join the running decodes at once, whole',
  source: 'Orca, as in sarathi-serve',
  options: z.strictObject(fixedLengthShape),
  create(options) {
    const pool = fixedLengthPool(options);
    return schedulerOf(pool, {
      refuse: (request) => refuseTooLong(request, options),
      plan() {
        const decode = pool.running.slice();
        return { decode, prefill: admitWhole(pool) };
      },
    });
  },
});
