export type { SampleDefinition, SampleLibrary } from './contract.js';
export { apart, halves, type SampleParts } from './parts.js';
export { samples, samplesNamed } from './registry.js';
