/** What speaks to clients over the network. */
export type { Frontend, FrontendDefinition, FrontendLimits } from './contract.js';
export { DEFAULT_LIMITS } from './limits.js';
export { frontends } from './registry.js';
