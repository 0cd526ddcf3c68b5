export type { AccuracyMetric } from './gate.js';
export { DEFAULT_MOVES } from './moves.js';
export { runRecipe } from './recipe.js';
export { searchPasses } from './search.js';
export { type RecipeTrail, trailRows } from './trail.js';
