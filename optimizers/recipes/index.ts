export type { AccuracyMetric } from './gate.js';
export { DEFAULT_MOVES } from './moves.js';
export { type RecipeOptions, runRecipe } from './recipe.js';
export { type SearchOptions, searchPasses } from './search.js';
export { type RecipeTrail, trailRows } from './trail.js';
