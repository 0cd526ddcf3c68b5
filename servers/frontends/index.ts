/** What speaks to clients over the network. */
export type { Frontend, FrontendDefinition, FrontendLimits, FrontendOptions } from './contract.js';
export { DEFAULT_LIMITS } from './limits.js';
export { type FrontendName, findFrontend, frontends } from './registry.js';
