import { z } from 'zod';
import { canonicalDouble, Mt19937 } from '../../results/stats/index.js';
import { defineArrival } from './contract.js';
import { spanOption } from './support/profile.js';

/**
 * A Poisson process whose rate jumps between two heights (Markov-modulated): `burst` is their ratio, `sojourn` the mean time
 * at each, so that the mean rate is the load's. Counts of windows much longer than `sojourn` (s) have the dispersion
 * 1 + rate · s · ((burst − 1) / (burst + 1))².
 */
export const mmpp = defineArrival({
  name: 'mmpp',
  summary: 'Bursts: Poisson arrivals whose rate jumps between calm and busy (two-state Markov)',
  options: z.strictObject({ burst: z.number().min(1).max(1000).default(5), sojourn: spanOption().prefault('100ms') }),
  create({ burst, sojourn }, ratePerSecond, seed) {
    const random = new Mt19937(seed);
    const exponential = (meanNs: number) => -Math.log(1 - canonicalDouble(random)) * meanNs;
    const calmGapNs = ((1 + burst) / 2 / ratePerSecond) * 1e9;
    let busy = canonicalDouble(random) < 0.5;
    let leftNs = exponential(sojourn);
    let now = 0;
    let previous = 0;
    return () => {
      let gap = exponential(busy ? calmGapNs / burst : calmGapNs);
      // Exponential times have no memory: what the old state would have waited is drawn anew in the new one.
      while (gap > leftNs) {
        now += leftNs;
        busy = !busy;
        leftNs = exponential(sojourn);
        gap = exponential(busy ? calmGapNs / burst : calmGapNs);
      }
      leftNs -= gap;
      now += gap;
      const step = Math.round(now) - previous;
      previous += step;
      return step;
    };
  },
});
