export type { SampleLibrary } from './contract.js';
export { onlyFirst, withoutFirst } from './parts.js';
export { samples, samplesNamed } from './registry.js';
