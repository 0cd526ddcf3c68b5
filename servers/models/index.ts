export { batchingProblem } from './batch.js';
export type { ResolvedModel } from './contract.js';
export { runtimeOf } from './file.js';
export { inspectModel } from './inspect.js';
export { type PackagedModel, pull, pulledPath } from './packaged.js';
export { findModel, models } from './registry.js';
export { resolveModel } from './resolve.js';
export type { MadeModel, ModelSpec } from './spec.js';
export { packagedModels } from './zoo.js';
