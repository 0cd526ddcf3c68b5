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
export { createStrategy, findStrategy, parseStrategyOptions, strategies, strategyNamed } from './registry.js';
