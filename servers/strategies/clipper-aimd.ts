import { z } from 'zod';
import { defineStrategy } from './contract.js';
import { count } from './support/options.js';
import { type CapRule, ReplicaCaps, replicaCapsShape } from './support/replica-caps.js';

const options = z.strictObject({
  ...replicaCapsShape,
  backoff: z.number().positive().max(1).default(0.9),
  maxBatchSize: count().default(0),
});

type Options = z.output<typeof options>;

/**
 * Each replica's largest batch grows by a fixed amount after full batches that met the objective and shrinks by a factor
 * when one did not. Source: Clipper paper, section 4.3; caps are whole numbers and only full batches let them grow.
 */
export const clipperAimd = defineStrategy({
  name: 'clipper-aimd',
  summary:
    'Each replica finds its largest batch within a latency objective: additive increase, multiplicative decrease',
  source: 'Clipper, NSDI 2017, section 4.3',
  differs: [
    'A replica’s cap is a whole number, and grows only after batches that were full: a batch that was not full shows nothing about a larger one.',
  ],
  originals: { slo: 'latency_objective', batchWait: 'delayed batching' },
  options,
  examples: [
    { slo: '20ms' },
    { slo: '5ms', initialBatchSize: 4, batchWait: '1ms', maxBatchSize: 16, maxQueueSize: 32 },
  ],
  workConserving: ({ batchWait }) => batchWait === 0,
  executesOnce: true,
  maxRows: ({ maxBatchSize }) => maxBatchSize || Number.POSITIVE_INFINITY,
  create: (given, { instances }) => new ReplicaCaps(given, instances.length, () => aimd(given)),
});

function aimd({ slo, additive, backoff }: Options): CapRule {
  return ({ cap, latency, full }) => {
    if (latency > slo) return Math.floor(cap * backoff);
    return full ? cap + additive : cap;
  };
}
