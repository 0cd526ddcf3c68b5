export type { LoadContext, LoadDefinition, LoadPlan } from './contract.js';
export { PRESETS } from './presets.js';
export { loadNamed, loads, planLoad } from './registry.js';
