export type {
  Dimension,
  Evaluation,
  Point,
  ResponseTable,
  Space,
} from './contract.js';
export { slopedMerit, violation } from './merit.js';
export { createSearch, searches, searchNamed } from './registry.js';
export { bestOf, runSearch, type SearchStep } from './run-search.js';
export { numberOf, pointAt, sizeOf, valuesOf } from './space.js';
export { paretoFront } from './support/dominance.js';
