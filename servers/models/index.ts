export { batchingProblem } from './batch.js';
export type { ResolvedModel } from './contract.js';
export { runtimeOf } from './file.js';
export { inspectModel } from './inspect.js';
export { isFetched, licencesOf, type PackagedModel, pinsOf, pull } from './packaged.js';
export { findModel, models, packagedModels } from './registry.js';
export { resolveModel } from './resolve.js';
export type { DenseSizes, MadeModel, ModelSpec } from './spec.js';
