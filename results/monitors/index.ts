export type { Monitor } from './contract.js';
export { monitors } from './registry.js';
