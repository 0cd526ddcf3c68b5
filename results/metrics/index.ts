export type { MetricValue, Window } from './contract.js';
export { metric, metrics } from './registry.js';
