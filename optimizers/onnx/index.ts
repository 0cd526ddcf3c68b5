export { checkModel } from './check.js';
export type { OnnxModel } from './model.js';
export { readModel } from './read.js';
export { type WrittenFile, writeModel } from './write.js';
