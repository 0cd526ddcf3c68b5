import { z } from 'zod';
import { checked } from '../../results/lookup.js';
import { createLlmScheduler, findLlmScheduler } from '../llm/registry.js';
import { type LlmRun, simulateLlm } from '../llm/simulate.js';
import type { VectorCase } from './vectors.js';

const whole = z.number().int().nonnegative();
const tokens = z.number().int().positive();
const llmCase = z.object({
  requests: z.array(z.object({ id: z.string(), at: whole, promptTokens: tokens, outputTokens: tokens })),
  cost: z.object({ baseNs: whole, prefillTokenNs: whole, decodeSeqNs: whole }),
});

/** Does the case belong to an LLM scheduler? */
export function isLlmRun({ requests, strategy }: VectorCase): boolean {
  return requests !== undefined && strategy.name.startsWith('llm-');
}

/** Run a case's requests through its scheduler in virtual time. */
export function runLlm(vector: VectorCase): LlmRun | undefined {
  const { name, options } = vector.strategy;
  if (findLlmScheduler(name) === undefined) return undefined;
  const { requests, cost } = checked(llmCase, vector, vector.name);
  return simulateLlm(createLlmScheduler(name, options), requests, cost);
}
