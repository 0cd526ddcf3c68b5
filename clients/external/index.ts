export type { ExternalLoad, ExternalTool } from './contract.js';
export { type FoundTool, findTool } from './find.js';
export { type Figures, figuresOf, figuresOfRecords, importRequests, SEND_BASIS } from './import.js';
export { payloadOf } from './payload.js';
export { externalTool, externalTools } from './registry.js';
export { runTool } from './run.js';
