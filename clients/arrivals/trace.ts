import { z } from 'zod';
import { defineArrival } from './contract.js';
import { readTrace, TRACE_UNITS } from './support/trace-file.js';

/**
 * Recorded arrivals, played again. Without `scale` the trace is stretched so that its mean rate is the load's; `scale` 0.5
 * plays it at twice its speed, whatever the load's rate. At its end it starts again, one mean gap later.
 */
export const trace = defineArrival({
  name: 'trace',
  summary: 'Recorded arrivals from a file of times (CSV, JSONL or Arrow), stretched to the rate or by a scale',
  options: z.strictObject({
    path: z.string().min(1),
    unit: z.enum(Object.keys(TRACE_UNITS) as (keyof typeof TRACE_UNITS)[]).default('s'),
    /** Name of the column or key; default the first. */
    column: z.string().optional(),
    scale: z.number().positive().optional(),
  }),
  exact: 'recorded',
  create({ path, unit, column, scale }, ratePerSecond) {
    const instants = readTrace(path, unit, column);
    const meanGapNs = instants.at(-1)! / (instants.length - 1);
    const factor = scale ?? 1e9 / ratePerSecond / meanGapNs;
    const roundNs = instants.length * meanGapNs;
    let k = 0;
    let previous = 0;
    return () => {
      k++;
      const rounds = Math.floor(k / instants.length);
      const due = Math.round((rounds * roundNs + instants[k % instants.length]!) * factor);
      const gap = due - previous;
      previous = due;
      return gap;
    };
  },
});
