import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createStrategy } from '../../../servers/strategies/registry.js';
import { tritonDynamic } from '../../../servers/strategies/triton-dynamic.js';
import { execute, plain } from './reference-executor.js';
import { requestLists } from './request-lists.js';
import { LiteralTriton } from './triton-literal.js';

const ms = (max: number) => fc.integer({ min: 0, max }).map((n) => n * 1_000_000);
const policy = fc.record({
  timeoutAction: fc.constantFrom('reject' as const, 'delay' as const),
  defaultTimeout: ms(8),
  allowTimeoutOverride: fc.boolean(),
  maxQueueSize: fc.integer({ min: 0, max: 6 }),
});
const options = fc
  .record({
    maxBatchSize: fc.integer({ min: 2, max: 9 }),
    preferredBatchSize: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 }),
    maxQueueDelay: ms(6),
    preserveOrdering: fc.boolean(),
    priorityLevels: fc.integer({ min: 0, max: 3 }),
    defaultPriorityLevel: fc.integer({ min: 1, max: 3 }),
    defaultQueuePolicy: policy,
    levelPolicy: policy,
    expirySweep: ms(4),
  })
  .map(({ levelPolicy, ...given }) => {
    const preferredBatchSize = given.preferredBatchSize.filter((size) => size <= given.maxBatchSize);
    if (given.priorityLevels === 0) return { ...given, preferredBatchSize, defaultPriorityLevel: undefined };
    const defaultPriorityLevel = Math.min(given.defaultPriorityLevel, given.priorityLevels);
    return { ...given, preferredBatchSize, defaultPriorityLevel, priorityQueuePolicy: { '1': levelPolicy } };
  });

test('triton-dynamic does what its rules say, sentence by sentence, whatever the options', () => {
  const context = { instances: [], cost: () => 1, costOn: () => 1, inner: createStrategy };
  const scene = fc.record({ options, instances: fc.integer({ min: 1, max: 3 }), requests: requestLists() });
  fc.assert(
    fc.property(scene, ({ options: given, instances: count, requests }) => {
      const parsed = tritonDynamic.options.parse(given);
      const instances = Array.from({ length: count }, (_, id) => ({ id, speed: 1 }));
      const durationOf = ({ instance, rows }: { instance: number; rows: number }) =>
        2_000_000 * (instance + 1) + rows * 500_000;
      const log = (strategy: Parameters<typeof execute>[0]['strategy']) =>
        plain(execute({ strategy, instances: count, durationOf, requests }));
      const real = tritonDynamic.create(parsed, { ...context, instances });
      expect(log(real)).toEqual(log(new LiteralTriton(parsed, count)));
    }),
    { seed: 4, numRuns: 500 },
  );
});
