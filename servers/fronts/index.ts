/** Several models behind what clients see, on a real server. */
export type { Front, FrontDefinition, NamedModel } from './contract.js';
export { fronts, startFront } from './registry.js';
