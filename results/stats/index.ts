export { bisection } from './bisection.js';
export { meanInterval, percentileInterval, resampledInterval } from './bootstrap.js';
export { chiSquareTail } from './chi-square.js';
export { type Dispersion, dispersion } from './dispersion.js';
export { betters } from './dominance.js';
export {
  earlyStoppingEstimate,
  earlyStoppingServer,
  minQueries,
  percentileFloor,
} from './early-stopping.js';
export { studentInterval } from './interval.js';
export { kolmogorovDistance } from './kolmogorov.js';
export { benjaminiHochberg, FALSE_DISCOVERY_RATE } from './multiplicity.js';
export { blockRatioInterval, noiseFloor, type PairedRatio, pairedRatio, repeatNoise } from './paired.js';
export { type PairedShares, pairedShares } from './paired-shares.js';
export { ascending, countAbove, distribution, mean, median, percentile, quantile } from './percentile.js';
export { meanPresent, mg1Wait } from './queueing.js';
export {
  canonicalDouble,
  FastRandom,
  Mt19937,
  permutation,
  type RandomSource,
  shuffle,
  uniformInt,
} from './random.js';
export { type ShareEvidence, type ShareTest, shareTest } from './sequential.js';
export { wilson } from './wilson.js';
