export { binomialCdf, incompleteBeta, studentQuantile } from './beta.js';
export { meanInterval, percentileInterval, percentileIntervalOf } from './bootstrap.js';
export {
  CONFIDENCE,
  type Estimate,
  earlyStoppingEstimate,
  earlyStoppingServer,
  minQueries,
  percentileFloor,
} from './early-stopping.js';
export { noiseFloor, type PairedRatio, pairedRatio } from './paired.js';
export { ascending, countAbove, distribution, mean, type PercentileName, percentile, quantile } from './percentile.js';
export {
  canonicalDouble,
  FastRandom,
  Mt19937,
  permutation,
  type RandomSource,
  shuffle,
  uniformInt,
} from './random.js';
export { sortAscending } from './sort.js';
export { wilson } from './wilson.js';
