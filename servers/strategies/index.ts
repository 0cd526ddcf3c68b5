export type {
  Action,
  Execute,
  InstanceInfo,
  Nanos,
  ResponseSource,
  Strategy,
  StrategyContext,
  StrategyDefinition,
  StrategyRequest,
} from './contract.js';
export { isolationProblem, stagesProblem } from './needs.js';
export { createStrategy, findStrategy, strategies, strategyNamed } from './registry.js';
export { Limiter, type LimiterPlace } from './support/limiter.js';
export { rowsOf } from './support/rows.js';
