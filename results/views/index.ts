export type { Block, Cell, ViewInput } from './contract.js';
export { views } from './registry.js';
