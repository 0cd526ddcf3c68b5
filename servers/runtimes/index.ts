export type { ExecutionPart, Runtime, RuntimeMetadata, RuntimeTensor } from './contract.js';
export { modelBytes, shardsOf } from './model-bytes.js';
export { saveOptimized } from './onnx-offline.js';
export { PLAN_ENDING, partsOf, readPlan, type SplitPlan, type SplitStep } from './plan.js';
export { hasNvidiaDriver, lackOf, providerLibrary } from './providers.js';
export { createRuntime, parseRuntimeOptions, runtimeNamed, runtimes } from './registry.js';
export { resizeAxis } from './support/tensors.js';
