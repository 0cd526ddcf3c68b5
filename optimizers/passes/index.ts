export type { PassContext, PassDefinition, PassResult } from './contract.js';
export { parsePassOptions, passes, passNamed } from './registry.js';
