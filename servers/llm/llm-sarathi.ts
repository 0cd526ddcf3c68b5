import { z } from 'zod';
import { positive } from '../strategies/support/options.js';
import { defineLlmScheduler, type Sequence } from './contract.js';
import { lengthOf, longest, poolShape, SequencePool } from './support/pool.js';
import { schedulerOf } from './support/scheduler.js';

/**
 * Chunked prefills: every iteration decodes all that can decode and fills up with pieces of prompts, so that no prompt stalls
 * the others. Memory is paged as in vLLM. Source: Sarathi-Serve (OSDI 2024).
 */
export const llmSarathi = defineLlmScheduler({
  name: 'llm-sarathi',
  summary: 'Chunked prefills ride along with the decodes, so many tokens an iteration',
  source: 'sarathi-serve',
  originals: { chunkSize: 'chunk_size', maxNumSeqs: 'max_num_seqs', blockSize: 'block_size' },
  options: z.strictObject({ ...poolShape, chunkSize: positive().default(512) }),
  create({ chunkSize, ...options }) {
    const pool: SequencePool = new SequencePool(options, (sequence) => pool.blocksFor(lengthOf(sequence)));
    return schedulerOf(pool, {
      refuse: (request) => (pool.blocksFor(longest(request)) > options.numBlocks ? 'too-long' : undefined),
      plan() {
        const preempted = pool.grow();
        const decode = pool.running.filter((sequence) => sequence.toPrefill === 0);
        const prefill = chunks(pool, chunkSize - decode.length, preempted.length === 0);
        return { decode, prefill, preempted };
      },
    });
  },
});

/** Prompts that are under way come first; new ones only where memory was not short. */
function chunks(pool: SequencePool, budget: number, admits: boolean): [sequence: Sequence, tokens: number][] {
  const prefill: [Sequence, number][] = [];
  let left = budget;
  const compute = (sequence: Sequence) => {
    const tokens = Math.min(sequence.toPrefill, left);
    if (tokens <= 0) return;
    prefill.push([sequence, tokens]);
    left -= tokens;
  };
  for (const sequence of pool.running) compute(sequence);
  while (admits && left > 0) {
    const next = pool.candidate();
    if (next === undefined) break;
    pool.admit(next);
    compute(next);
  }
  return prefill;
}
