export type {
  Dimension,
  DimensionValue,
  Evaluation,
  Point,
  ResponseTable,
  SearchContext,
  SearchDefinition,
  Space,
} from './contract.js';
export { slopedMerit, violation } from './merit.js';
export { createSearch, searches, searchNamed } from './registry.js';
export { bestOf, runSearch, type SearchOutcome, type SearchStep } from './run-search.js';
export { numberOf, pointAt, samePoint, sizeOf, valuesOf } from './space.js';
export { paretoFront } from './support/dominance.js';
