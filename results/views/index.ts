export type { Block, Cell, ViewDefinition, ViewInput } from './contract.js';
export { findView, views } from './registry.js';
