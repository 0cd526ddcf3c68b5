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
export { createStrategy, findStrategy, strategies, strategyNamed } from './registry.js';
