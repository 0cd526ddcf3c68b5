import { z } from 'zod';
import { positive } from '../strategies/support/options.js';
import { defineLlmScheduler, type Sequence } from './contract.js';
import { lengthOf, longest, poolShape, SequencePool } from './support/pool.js';
import { schedulerOf } from './support/scheduler.js';

/**
 * Paged memory, prompts first: an iteration is either prompts or decodes. Blocks are taken as sequences grow; when they run out
 * the last sequence is preempted and computed again later. Source: vLLM v0.
 */
export const llmVllm = defineLlmScheduler({
  name: 'llm-vllm',
  summary: 'Paged KV cache, prompts before decodes, preemption by recomputation',
  source: 'vLLM v0',
  originals: { maxNumBatchedTokens: 'max_num_batched_tokens', maxNumSeqs: 'max_num_seqs', blockSize: 'block_size' },
  options: z.strictObject({ ...poolShape, maxNumBatchedTokens: positive().default(1e9) }),
  create({ maxNumBatchedTokens, ...options }) {
    const pool: SequencePool = new SequencePool(options, (sequence) => pool.blocksFor(lengthOf(sequence)));
    return schedulerOf(pool, {
      refuse(request) {
        const most = longest(request);
        // Recomputing its whole length must fit into one iteration too, or it could wait forever.
        return pool.blocksFor(most) > options.numBlocks || most > maxNumBatchedTokens ? 'too-long' : undefined;
      },
      plan() {
        const prefill = admitWithin(pool, maxNumBatchedTokens);
        if (prefill.length > 0) return { prefill };
        const preempted = pool.grow();
        return { decode: pool.running.slice(), preempted };
      },
    });
  },
});

function admitWithin(pool: SequencePool, budget: number): [sequence: Sequence, tokens: number][] {
  const prefill: [Sequence, number][] = [];
  let left = budget;
  for (let next = pool.candidate(); next !== undefined && lengthOf(next) <= left; next = pool.candidate()) {
    pool.admit(next);
    prefill.push([next, next.toPrefill]);
    left -= next.toPrefill;
  }
  return prefill;
}
