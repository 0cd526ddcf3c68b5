import { z } from 'zod';
import { canonicalDouble, Mt19937 } from '../../results/stats/index.js';
import { defineArrival } from './contract.js';

/**
 * Independent exponential gaps: trunc(−ln(1−u)/rate · 1e9) ns with u from `std::mt19937`. Equal to MLPerf LoadGen's server
 * schedule for the same seed, except where this platform's logarithm differs from libm's in the last bit *and* a whole
 * nanosecond lies between them.
 */
export const poisson = defineArrival({
  name: 'poisson',
  summary: 'Independent users: exponential gaps, bit-compatible with MLPerf LoadGen',
  options: z.strictObject({}),
  create(_options, ratePerSecond, seed) {
    const random = new Mt19937(seed);
    return () => Math.trunc((-Math.log(1 - canonicalDouble(random)) / ratePerSecond) * 1e9);
  },
});
