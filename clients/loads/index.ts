export type { LoadContext, LoadDefinition, LoadPlan } from './contract.js';
export type { RequestClass } from './mix.js';
export { PRESETS } from './presets.js';
export { loadNamed, loads, planLoad } from './registry.js';
