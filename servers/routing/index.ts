/** Replicas behind a gateway, for other folders. */

export type { ReplicaSpec } from './contract.js';
export { forkGateway, type GatewayHandle } from './gateway-handle.js';
export { type Balancing, balancingSchema } from './options.js';
export { type ProgramName, startProgram } from './program.js';
export { routes } from './registry.js';
export { ReplicaSet } from './replicas.js';
