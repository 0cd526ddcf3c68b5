import { z } from 'zod';
import { count, positive } from '../strategies/support/options.js';
import { defineLlmScheduler, type LlmRequest, type Sequence } from './contract.js';
import { longest, poolShape, SequencePool } from './support/pool.js';
import { schedulerOf } from './support/scheduler.js';
import { tgiMinimum, tgiTake } from './support/tgi-rules.js';

const options = z.strictObject({
  ...poolShape,
  maxBatchPrefillTokens: positive().default(4096),
  maxBatchTotalTokens: positive().default(1e9),
  /** Part of the running that must wait before a prefill interrupts them. */
  waitingServedRatio: z.number().nonnegative().default(0.3),
  /** Decode iterations after which any number may. */
  maxWaitingTokens: count().default(20),
  maxConcurrentRequests: positive().default(128),
});
type Options = z.output<typeof options>;

/**
 * Prompts interrupt decodes when enough wait or have waited long enough. A sequence's memory is reserved to its end, so that
 * nothing is ever preempted. Source: TGI v3.
 */
export const llmTgi = defineLlmScheduler({
  name: 'llm-tgi',
  summary: 'Token budgets; waiting prompts interrupt the decodes when there are enough of them',
  source: 'Text Generation Inference v3',
  originals: {
    maxBatchPrefillTokens: 'max_batch_prefill_tokens',
    maxBatchTotalTokens: 'max_batch_total_tokens',
    waitingServedRatio: 'waiting_served_ratio',
    maxWaitingTokens: 'max_waiting_tokens',
    maxConcurrentRequests: 'max_concurrent_requests',
  },
  options,
  create(given) {
    const pool: SequencePool = new SequencePool(given, ({ request }) => pool.blocksFor(longest(request)));
    /** Steps since the last prefill, that one included. */
    let waited = 0;
    return schedulerOf(pool, {
      refuse: (request) => refuse(request, pool, given),
      plan() {
        const prefill = admitBatch(pool, waited, given);
        waited = prefill.length > 0 ? 1 : waited + 1;
        return prefill.length > 0 ? { prefill } : { decode: pool.running.slice() };
      },
    });
  },
});

function refuse(request: LlmRequest, pool: SequencePool, options: Options): string | undefined {
  const tooLong =
    pool.blocksFor(longest(request)) > options.numBlocks ||
    request.promptTokens > options.maxBatchPrefillTokens ||
    tokensOf(request) > options.maxBatchTotalTokens;
  if (tooLong) return 'too-long';
  return pool.queue.length + pool.running.length >= options.maxConcurrentRequests ? 'overloaded' : undefined;
}

function admitBatch(pool: SequencePool, waited: number, options: Options): [sequence: Sequence, tokens: number][] {
  const minimum = tgiMinimum(pool.running.length, options.waitingServedRatio, waited, options.maxWaitingTokens);
  const used = pool.running.reduce((sum, { request }) => sum + tokensOf(request), 0);
  const taken = tgiTake(requests(pool.queue), pool.queue.length, minimum, {
    prefillBudget: options.maxBatchPrefillTokens,
    tokenBudget: options.maxBatchTotalTokens - used,
    freeBlocks: pool.freeBlocks,
    blockSize: options.blockSize,
    places: options.maxNumSeqs - pool.running.length,
  });
  return Array.from({ length: taken }, () => {
    const next = pool.candidate()!;
    pool.admit(next);
    return [next, next.toPrefill];
  });
}

function* requests(queue: Iterable<Sequence>): Iterable<LlmRequest> {
  for (const { request } of queue) yield request;
}

function tokensOf({ promptTokens, outputTokens }: LlmRequest): number {
  return promptTokens + outputTokens;
}
