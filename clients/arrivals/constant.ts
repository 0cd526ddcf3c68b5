import { z } from 'zod';
import { defineArrival } from './contract.js';

/** Evenly spaced. Whole nanoseconds without drift: the k-th request is due at round(k · 1e9 / rate). */
export const constant = defineArrival({
  name: 'constant',
  summary: 'Evenly spaced, one every 1/rate',
  options: z.strictObject({}),
  create(_options, ratePerSecond) {
    const gap = 1e9 / ratePerSecond;
    let k = 0;
    let previous = 0;
    return () => {
      const due = Math.round(++k * gap);
      const step = due - previous;
      previous = due;
      return step;
    };
  },
});
