export type { Runtime, RuntimeMetadata, RuntimeTensor } from './contract.js';
export { saveOptimized } from './onnx-offline.js';
export { createRuntime, parseRuntimeOptions, runtimeNamed, runtimes } from './registry.js';
