export type { ProcessingSpec, Processor, ProcessorChoice } from './contract.js';
export { createProcessing, type Processing } from './create.js';
export { processors } from './registry.js';
export { lineDrawer } from './support/printed-lines.js';
