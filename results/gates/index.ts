export type { GateInput } from './contract.js';
export { gates } from './registry.js';
