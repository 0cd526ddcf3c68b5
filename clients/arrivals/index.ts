export type { ArrivalDefinition } from './contract.js';
export { arrivalNamed, arrivals, createArrival } from './registry.js';
