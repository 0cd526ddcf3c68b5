export type { Block, Cell, ViewDefinition, ViewInput } from './contract.js';
export { views } from './registry.js';
