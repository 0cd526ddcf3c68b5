export { instanceList, strategyContext } from './context.js';
export type { CostTable, SimulationCase, SimulationSink, SimulationTotals } from './contract.js';
export { costModel, costOf, costTable } from './cost.js';
export type { Instance, InstanceEvents, InstanceMetadata, Isolation, WarmUpSample } from './instance.js';
export type { Hints } from './job.js';
export { executors } from './registry.js';
export { simulate } from './virtual.js';
