export { batchingProblem, maxBatch } from './batch.js';
export type { ModelDefinition, ModelSource, ResolvedModel } from './contract.js';
export { inspectModel } from './inspect.js';
export { findModel, modelNamed, models } from './registry.js';
export { resolveModel } from './resolve.js';
export type { ModelSpec } from './spec.js';
