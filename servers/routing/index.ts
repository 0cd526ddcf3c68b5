/** Replicas behind a gateway, for other folders. */
export { forkGateway, type GatewayHandle } from './gateway-handle.js';
export { type Balancing, balancingSchema } from './options.js';
export { routes } from './registry.js';
export { ReplicaSet } from './replicas.js';
