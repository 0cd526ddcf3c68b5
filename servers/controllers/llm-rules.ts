import { z } from 'zod';
import { UserError } from '../../results/errors.js';
import { tgiMinimum, tgiTake } from '../llm/support/tgi-rules.js';
import { count, positive } from '../strategies/support/options.js';
import { type Controller, defineController } from './contract.js';
import { PrefixCache } from './support/prefix-cache.js';
import { answering, operations } from './support/steps.js';
import { TokenCounters } from './support/token-counters.js';

const options = z.strictObject({
  /** Worth of a prompt token and of an output token in the virtual token counter. */
  inputWeight: z.number().nonnegative().default(1),
  outputWeight: z.number().nonnegative().default(2),
  /** Pool of the prefix cache; without blocks every allocation fails. */
  numBlocks: count().default(0),
  blockSize: positive().default(16),
});

/** Rules of LLM servers that stand alone: TGI's batch choice, S-LoRA's admission, VTC's fairness, vLLM's prefix cache. */
export const llmRules = defineController({
  name: 'llm-rules',
  summary: 'Single rules of LLM servers: TGI batches, S-LoRA admission, VTC fairness, prefix cache',
  source: 'TGI v3 queue, S-LoRA, VTC, vLLM prefix caching',
  options,
  create: ({ inputWeight, outputWeight, numBlocks, blockSize }) =>
    operations('llm-rules', {
      'tgi-min-size': answering('llm-rules.tgi-min-size', minSize, (step) => ({
        minSize: tgiMinimum(step.batch, step.ratio, step.waitedSteps, step.maxWaitingTokens),
      })),
      'tgi-batch': answering('llm-rules.tgi-batch', batch, (step) => ({
        taken: tgiTake(step.queue, step.queue.length, step.minSize, { ...step, places: step.room }),
      })),
      'slora-admit': answering('llm-rules.slora-admit', admission, admit),
      ...fairness(new TokenCounters(inputWeight, outputWeight)),
      ...prefixCache(new PrefixCache(numBlocks, blockSize)),
    }),
});

const minSize = z.object({
  batch: count(),
  ratio: z.number().nonnegative().default(0.3),
  waitedSteps: count().default(1),
  maxWaitingTokens: count().default(20),
});

const demand = z
  .tuple([count(), count()])
  .transform(([promptTokens, outputTokens]) => ({ promptTokens, outputTokens }));
const unlimited = () => count().default(Number.MAX_SAFE_INTEGER);
const batch = z.object({
  queue: z.array(demand),
  prefillBudget: count(),
  tokenBudget: z.number(),
  minSize: count().default(0),
  freeBlocks: unlimited(),
  blockSize: positive().default(16),
  room: unlimited(),
});

const admission = z.object({
  /** Tokens that a request has in memory, and how many it may still generate. */
  requests: z.array(z.tuple([count(), count()])),
  maxTotalTokens: count().default(6000),
  /** Of the adapters in use; an adapter takes as much memory as 4 tokens a rank. */
  ranks: z.array(count()),
  maxRequests: count().default(1000),
});

/** The memory's peak is at the end of some request: those that end later are still there, at that length. */
function admit({ requests, maxTotalTokens, ranks, maxRequests }: z.output<typeof admission>) {
  const byLeft = requests.toSorted(([, a], [, b]) => b - a);
  let runs = 0;
  let need = 0;
  for (const [i, [run, left]] of byLeft.entries()) {
    runs += run;
    need = Math.max(need, left * (i + 1) + runs);
  }
  const limit = maxTotalTokens - ranks.reduce((sum, rank) => sum + 4 * rank, 0);
  return { need, limit, admit: need < limit && requests.length <= maxRequests };
}

function fairness(counters: TokenCounters): Record<string, Controller> {
  const client = z.string();
  const serve = z.object({ promptTokens: count(), keep: z.boolean().default(false) });
  return {
    arrive: answering('llm-rules.arrive', z.object({ client }), (step) => ({ counter: counters.arrive(step.client) })),
    serve: answering(
      'llm-rules.serve',
      serve,
      (step) => counters.serve(step.promptTokens, step.keep) ?? { client: null },
    ),
    token: answering('llm-rules.token', z.object({ client, tokens: count().default(1) }), (step) => ({
      counter: counters.generated(step.client, step.tokens) ?? unknown('token.client', step.client),
    })),
  };
}

function prefixCache(cache: PrefixCache): Record<string, Controller> {
  const request = z.string();
  const held = (place: string, name: string) => (cache.holds(name) ? name : unknown(place, name));
  const allocate = z.object({ request, tokens: positive(), keys: z.array(z.string()) });
  const append = z.object({ request, key: z.string().optional() });
  return {
    allocate: answering('llm-rules.allocate', allocate, (step) => {
      if (cache.holds(step.request))
        refuse('allocate.request', `"${step.request}" holds blocks already`, 'Release it first');
      const { blocks, hits } = cache.allocate(step.request, step.tokens, step.keys);
      return { blocks: blocks ?? null, hits, free: cache.free };
    }),
    append: answering('llm-rules.append', append, (step) => {
      const blocks = cache.append(held('append.request', step.request), step.key);
      return { blocks: blocks ?? null, free: cache.free };
    }),
    release: answering('llm-rules.release', z.object({ request }), (step) => {
      cache.release(held('release.request', step.request));
      return { free: cache.free };
    }),
  };
}

function unknown(place: string, name: string): never {
  return refuse(place, `"${name}" is unknown`, 'It must come first');
}

function refuse(place: string, found: string, remedy: string): never {
  throw new UserError({ place: `llm-rules.${place}`, found, remedy });
}
