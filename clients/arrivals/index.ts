export type { ArrivalDefinition } from './contract.js';
export { arrivals, createArrival } from './registry.js';
