export type { LoadContext, LoadDefinition, LoadPlan } from './contract.js';
export { loadNamed, loads, planLoad } from './registry.js';
