export { instanceList, strategyContext } from './context.js';
export type { CostTable } from './contract.js';
export { costModel, costOf, costTable } from './cost.js';
export type { Isolation } from './instance.js';
export { executorNamed, executors } from './registry.js';
