/** LLM schedulers, for other folders. */
export type { LlmRequest } from './contract.js';
export { createLlmScheduler, findLlmScheduler, llmSchedulers } from './registry.js';
export { simulateLlm } from './simulate.js';
