export type { GateDefinition, GateFinding, GateInput } from './contract.js';
export { gate, gates } from './registry.js';
