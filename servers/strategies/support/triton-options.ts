import { z } from 'zod';
import { duration } from '../../../results/units.js';
import { count, positive } from './options.js';
import type { QueuePolicy } from './priority-queue.js';

const queuePolicy = z.strictObject({
  timeoutAction: z.enum(['reject', 'delay']).default('reject'),
  defaultTimeout: duration().default(0),
  allowTimeoutOverride: z.boolean().default(false),
  maxQueueSize: count().default(0),
});

/** Options of the dynamic batcher; what contradicts itself is refused. */
export const tritonOptions = z
  .strictObject({
    maxBatchSize: positive().default(1),
    preferredBatchSize: z.array(positive()).default([]),
    maxQueueDelay: duration().default(0),
    preserveOrdering: z.boolean().default(false),
    priorityLevels: count().default(0),
    defaultPriorityLevel: positive().optional(),
    defaultQueuePolicy: queuePolicy.prefault({}),
    priorityQueuePolicy: z.record(z.string(), queuePolicy).default({}),
    expirySweep: duration().default(500_000_000),
  })
  .superRefine((given, context) => {
    for (const [path, message] of contradictions(given)) context.addIssue({ code: 'custom', path, message });
  });

export type TritonOptions = z.output<typeof tritonOptions>;

/** The policy of every level, the highest first. */
export function policiesOf({ priorityLevels, priorityQueuePolicy, defaultQueuePolicy }: TritonOptions): QueuePolicy[] {
  return Array.from(
    { length: Math.max(1, priorityLevels) },
    (_, level) => priorityQueuePolicy[String(level + 1)] ?? defaultQueuePolicy,
  );
}

/** What the options' own schemas can't see. */
function* contradictions(given: TritonOptions): Generator<[path: string[], message: string]> {
  const { maxBatchSize, preferredBatchSize, priorityLevels, defaultPriorityLevel, priorityQueuePolicy } = given;
  for (const [i, size] of preferredBatchSize.entries())
    if (size > maxBatchSize) yield [['preferredBatchSize', String(i)], `${size} exceeds maxBatchSize ${maxBatchSize}`];
  if (priorityLevels > 0 && defaultPriorityLevel === undefined)
    yield [['defaultPriorityLevel'], `is required with priorityLevels; allowed: 1 to ${priorityLevels}`];
  if (priorityLevels > 0 && defaultPriorityLevel !== undefined && defaultPriorityLevel > priorityLevels)
    yield [['defaultPriorityLevel'], `${defaultPriorityLevel} is no level; allowed: 1 to ${priorityLevels}`];
  for (const level of Object.keys(priorityQueuePolicy))
    if (!/^[1-9]\d*$/.test(level) || Number(level) > priorityLevels)
      yield [
        ['priorityQueuePolicy', level],
        `"${level}" is no level; allowed: 1 to priorityLevels (${priorityLevels})`,
      ];
}
