export type { MetricDefinition, MetricValue, Window } from './contract.js';
export { metric, metrics } from './registry.js';
