export type { SampleLibrary } from './contract.js';
export { samples, samplesNamed } from './registry.js';
