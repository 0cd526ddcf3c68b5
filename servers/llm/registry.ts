import { checked, lookUp } from '../../results/lookup.js';
import type { LlmScheduler, LlmSchedulerDefinition } from './contract.js';
import { llmOrca } from './llm-orca.js';
import { llmSarathi } from './llm-sarathi.js';
import { llmStatic } from './llm-static.js';
import { llmTgi } from './llm-tgi.js';
import { llmVllm } from './llm-vllm.js';

/** Every LLM scheduler. One import and one line per addition. */
export const llmSchedulers = [
  llmStatic, // a batch stays together
  llmOrca, // joins and leaves after each iteration
  llmVllm, // prompts first, paged memory
  llmSarathi, // prompts in chunks
  llmTgi, // token budgets, no preemption
] as const satisfies readonly LlmSchedulerDefinition[];

/** The definition of that name, if there is one. */
export function findLlmScheduler(name: string): LlmSchedulerDefinition | undefined {
  return llmSchedulers.find((definition) => definition.name === name);
}

/** A new scheduler of that name. Throws UserError where the name or an option is wrong, with every problem of them. */
export function createLlmScheduler(name: string, options: unknown = {}): LlmScheduler {
  const definition = lookUp<LlmSchedulerDefinition>(llmSchedulers, name, 'LLM scheduler', 'scheduler');
  return definition.create(checked(definition.options, options, name));
}
