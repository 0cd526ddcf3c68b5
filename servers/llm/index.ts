/** LLM schedulers, for other folders. */
export {
  defineLlmScheduler,
  type Iteration,
  type LlmRequest,
  type LlmScheduler,
  type LlmSchedulerDefinition,
  type Sequence,
  type Yield,
} from './contract.js';
export { createLlmScheduler, findLlmScheduler, llmSchedulers } from './registry.js';
export { type IterationCost, type ListedIteration, type LlmRun, simulateLlm } from './simulate.js';
