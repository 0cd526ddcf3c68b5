import { z } from 'zod';
import { defineStrategy } from './contract.js';
import { positive } from './support/options.js';
import { quantileCap, type Sample } from './support/quantile-line.js';
import { type CapRule, ReplicaCaps, replicaCapsShape } from './support/replica-caps.js';

const options = z.strictObject({
  ...replicaCapsShape,
  window: positive().default(20),
  quantilePercent: z.number().int().min(0).max(100).default(99),
  growth: positive().default(2),
  maxBatchSize: positive().default(1024),
});

type Options = z.output<typeof options>;

/**
 * Each replica fits a line to a high quantile of its recent latencies over batch size and reads off the batch that meets
 * the objective. Source: Clipper paper, section 4.3, which names the regression but not the algorithm; growth is bounded.
 */
export const clipperQuantile = defineStrategy({
  name: 'clipper-quantile',
  summary: 'Each replica finds its largest batch within a latency objective by quantile regression',
  source: 'Clipper, NSDI 2017, section 4.3',
  differs: [
    'The paper names quantile regression and gives no algorithm: this one is exact over a window, and a cap grows by a bounded factor.',
  ],
  originals: { slo: 'latency_objective', batchWait: 'delayed batching' },
  options,
  examples: [{ slo: '20ms' }, { slo: '5ms', window: 5, growth: 3, batchWait: '1ms', maxBatchSize: 16 }],
  workConserving: ({ batchWait }) => batchWait === 0,
  executesOnce: true,
  maxRows: ({ maxBatchSize }) => maxBatchSize,
  create: (given, { instances }) => new ReplicaCaps(given, instances.length, () => quantile(given)),
});

/** A rule with a memory of the last `window` samples. */
function quantile({ slo, additive, window, quantilePercent, growth, maxBatchSize }: Options): CapRule {
  const samples: Sample[] = [];
  return ({ cap, rows, latency, full }) => {
    samples.push({ rows, latency });
    if (samples.length > window) samples.shift();
    const fitted = quantileCap(samples, { slo, percent: quantilePercent, maxBatchSize });
    if (fitted === undefined) return full ? cap + additive : cap;
    return Math.min(fitted, growth * Math.max(...samples.map((sample) => sample.rows)));
  };
}
