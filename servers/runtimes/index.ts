export type { Runtime, RuntimeMetadata, RuntimeTensor } from './contract.js';
export { createRuntime, parseRuntimeOptions, runtimeNamed, runtimes } from './registry.js';
