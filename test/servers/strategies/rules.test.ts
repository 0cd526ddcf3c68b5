import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { instanceList, strategyContext } from '../../../servers/executors/context.js';
import { costModel } from '../../../servers/executors/cost.js';
import { clipperAimd } from '../../../servers/strategies/clipper-aimd.js';
import { clipperEstimator } from '../../../servers/strategies/clipper-estimator.js';
import { clockwork } from '../../../servers/strategies/clockwork.js';
import type { Strategy, StrategyDefinition } from '../../../servers/strategies/contract.js';
import { djlWlm } from '../../../servers/strategies/djl-wlm.js';
import { edf } from '../../../servers/strategies/edf.js';
import { nexus } from '../../../servers/strategies/nexus.js';
import { createStrategy } from '../../../servers/strategies/registry.js';
import { tfsBatch } from '../../../servers/strategies/tfs-batch.js';
import { torchserveBatch } from '../../../servers/strategies/torchserve-batch.js';
import { tritonEnsemble } from '../../../servers/strategies/triton-ensemble.js';
import { tritonSequence } from '../../../servers/strategies/triton-sequence.js';
import { LiteralAimd } from './literals/caps.js';
import { LiteralClockwork, LiteralEdf, LiteralEstimator, LiteralNexus } from './literals/deadlines.js';
import { LiteralEnsemble } from './literals/ensembles.js';
import type { Cost } from './literals/literal.js';
import { LiteralSequence } from './literals/sequences.js';
import { LiteralTfs } from './literals/tfs.js';
import { LiteralDjl, LiteralTorchserve } from './literals/workers.js';
import { execute, plain } from './reference-executor.js';
import { requestLists } from './request-lists.js';

const MS = 1_000_000;
const ms = (max: number, min = 0) => fc.integer({ min, max }).map((n) => n * MS);
const whole = (min: number, max: number) => fc.integer({ min, max });
const UNIT = { unitRows: true };
const COST = [
  [1, 2 * MS],
  [4, 5 * MS],
] as const;

test('tfs-batch does what its rules say', () => {
  const options = fc
    .record({
      maxBatchSize: whole(1, 5),
      batchTimeout: ms(4),
      maxEnqueuedBatches: whole(1, 4),
      padded: fc.boolean(),
      models: fc.constantFrom(undefined, ['m', 'n']),
    })
    .map(({ padded, ...rest }) => ({ ...rest, allowedBatchSizes: padded ? [...new Set([1, rest.maxBatchSize])] : [] }));
  same(tfsBatch, options, (given, instances) => new LiteralTfs(given, instances));
});

test('torchserve-batch does what its rules say', () => {
  const options = fc.record({ batchSize: whole(1, 5), maxBatchDelay: ms(4), jobQueueSize: whole(1, 8) });
  same(torchserveBatch, options, (given, instances) => new LiteralTorchserve(given, instances));
});

test('djl-wlm does what its rules say', () => {
  const options = fc
    .record({
      batchSize: whole(1, 4),
      maxBatchDelay: ms(4),
      jobQueueSize: whole(1, 12),
      minWorkers: whole(0, 3),
      more: whole(1, 3),
      maxIdleTime: ms(9),
    })
    .map(({ more, ...rest }) => ({ ...rest, maxWorkers: rest.minWorkers + more }));
  same(djlWlm, options, (given, instances) => new LiteralDjl(given, instances));
});

test('clipper-aimd does what its rules say', () => {
  const options = fc.record({
    slo: ms(9, 2),
    initialBatchSize: whole(1, 6),
    additive: whole(1, 3),
    backoff: fc.constantFrom(0.5, 0.75, 0.9),
    batchWait: ms(3),
    maxBatchSize: whole(0, 8),
    maxQueueSize: whole(0, 8),
  });
  same(clipperAimd, options, (given, instances) => new LiteralAimd(given, instances));
});

test('clipper-estimator does what its rules say', () => {
  const options = fc.record({
    slo: ms(40, 4),
    budgetPercent: fc.constantFrom(50, 92, 100),
    minSamples: whole(1, 3),
    additiveBelow: whole(0, 5),
    growthPercent: fc.constantFrom(0, 10, 60),
    maxBatchSize: whole(0, 9),
  });
  same(clipperEstimator, options, (given, instances) => new LiteralEstimator(given, instances), UNIT);
});

test('edf does what its rules say', () => {
  const drop = fc.constantFrom('none', 'expired', 'infeasible');
  const options = fc.record({ maxBatchSize: whole(1, 5), slo: ms(12), drop });
  same(edf, options, (given, instances, cost) => new LiteralEdf(given, instances, cost));
});

test('clockwork does what its rules say', () => {
  const options = fc.record({ maxBatchSize: whole(1, 6), slo: ms(12) });
  same(clockwork, options, (given, instances, cost) => new LiteralClockwork(given, instances, cost), UNIT);
});

test('nexus does what its rules say', () => {
  const options = fc.record({ targetBatchSize: whole(1, 6), slo: ms(12), drop: fc.constantFrom('early', 'lazy') });
  same(nexus, options, (given, instances, cost) => new LiteralNexus(given, instances, cost), UNIT);
});

test('triton-sequence does what its rules say', () => {
  const options = fc.record({
    maxBatchSize: whole(1, 3),
    maxSequenceIdle: ms(8, 1),
    minimumSlotUtilization: fc.constantFrom(0, 0.5, 0.75, 1),
    maxQueueDelay: ms(4),
  });
  same(tritonSequence, options, (given, instances) => new LiteralSequence(given, instances));
});

test('triton-ensemble does what its rules say', () => {
  const strategy = fc.record({
    name: fc.constant('triton-dynamic'),
    options: fc.record({
      maxBatchSize: whole(3, 6),
      maxQueueDelay: ms(3),
      preserveOrdering: fc.boolean(),
      defaultQueuePolicy: fc.record({ maxQueueSize: whole(0, 6), defaultTimeout: ms(12) }),
    }),
  });
  const step = (names: readonly string[]) =>
    fc.record({ model: fc.constantFrom('m', 'n'), after: fc.subarray([...names]) });
  const options = fc
    .record({
      steps: fc.tuple(step([]), step(['s0']), step(['s0', 's1']), step(['s0', 's1', 's2'])),
      count: whole(1, 4),
      m: strategy,
      n: strategy,
      maxInflightRequests: whole(0, 4),
    })
    .map(({ steps, count, m, n, maxInflightRequests }) => ({
      steps: steps.slice(0, count).map((given, i) => ({ ...given, name: `s${i}` })),
      models: { m: { instances: [2], strategy: m }, n: { instances: [0, 1], strategy: n } },
      maxInflightRequests,
    }));
  same(
    tritonEnsemble,
    options,
    (given, instances) => {
      const inner = Object.entries(given.models).map(([name, { strategy: of, instances: ids }]) => {
        const context = strategyContext(instanceList(ids.length), { cost: () => 1, costOn: () => 1 });
        return [name, createStrategy(of.name, of.options, context)] as const;
      });
      return new LiteralEnsemble(given, instances, Object.fromEntries(inner));
    },
    { instances: 3 },
  );
});

/** The strategy and its rules written out do the same, whatever the options, instances and requests. */
function same<Options extends z.ZodType>(
  definition: StrategyDefinition<Options>,
  options: fc.Arbitrary<unknown>,
  literal: (given: z.output<Options>, instances: number, cost: Cost) => Strategy,
  { unitRows = false, instances: least = 1 } = {},
): void {
  const speeds = fc.array(fc.constantFrom(0.5, 1, 2), { minLength: least, maxLength: 3 });
  const scene = fc.record({ options, speeds, requests: requestLists() });
  fc.assert(
    fc.property(scene, ({ options: given, speeds, requests: list }) => {
      const instances = instanceList(speeds.map((speed) => ({ speed })));
      const costs = costModel(instances, { cost: COST });
      const requests = unitRows ? list.map((request) => ({ ...request, rows: 1 })) : list;
      const parsed = definition.options.parse(given);
      const { durationOf } = costs;
      const log = (strategy: Strategy) => {
        const scales: string[] = [];
        const watched = watchScales(strategy, scales);
        return { ...plain(execute({ strategy: watched, instances: speeds.length, durationOf, requests })), scales };
      };
      const real = definition.create(parsed, strategyContext(instances, costs));
      expect(log(real)).toEqual(log(literal(parsed, speeds.length, costs.cost)));
    }),
    { seed: 11, numRuns: 400 },
  );
}

function watchScales(strategy: Strategy, scales: string[]): Strategy {
  return {
    offer: (request, now) => strategy.offer(request, now),
    finished: (execution, now) => strategy.finished(execution, now),
    poll: (now) => {
      const action = strategy.poll(now);
      if (action?.kind === 'scale') scales.push(`${action.replicas} @ ${now}`);
      return action;
    },
    wakeAt: () => strategy.wakeAt(),
    cancel: (request, now) => strategy.cancel(request, now),
    waiting: () => strategy.waiting(),
  };
}
