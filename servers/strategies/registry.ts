import { checked, lookUp } from '../../results/lookup.js';
import { clipperAimd } from './clipper-aimd.js';
import { clipperEstimator } from './clipper-estimator.js';
import { clipperQuantile } from './clipper-quantile.js';
import { clockwork } from './clockwork.js';
import type { Strategy, StrategyContext, StrategyDefinition } from './contract.js';
import { djlWlm } from './djl-wlm.js';
import { edf } from './edf.js';
import { fairShare } from './fair-share.js';
import { instanceGroup } from './instance-group.js';
import { loadBalancer } from './load-balancer.js';
import { nexus } from './nexus.js';
import { predictionCache } from './prediction-cache.js';
import { reefStage } from './reef-stage.js';
import { routeShadow } from './route-shadow.js';
import { serial } from './serial.js';
import { tfsBatch } from './tfs-batch.js';
import { torchserveBatch } from './torchserve-batch.js';
import { tritonDynamic } from './triton-dynamic.js';
import { tritonEnsemble } from './triton-ensemble.js';
import { tritonSequence } from './triton-sequence.js';

/** Every strategy. One import and one line per addition. */
export const strategies = [
  serial, // one request at a time
  instanceGroup, // several instances behind one queue
  tritonDynamic, // preferred sizes, delay, priorities, timeouts
  tfsBatch, // batches cut on arrival, models in turn
  torchserveBatch, // one worker at a time collects
  djlWlm, // fixed and temporary workers
  clipperAimd, // a cap for each replica: additive increase, multiplicative decrease
  clipperQuantile, // a cap for each replica by quantile regression
  clipperEstimator, // explore, then estimate what fits the deadline
  predictionCache, // a cache in front of another strategy
  edf, // earliest deadline first
  fairShare, // tenants by weight, priority and quota
  clockwork, // nothing runs that would end late
  nexus, // early drop
  reefStage, // real time overtakes best effort between stages
  tritonSequence, // a sequence keeps its slot
  tritonEnsemble, // a graph of models
  loadBalancer, // a queue for each instance, chosen on arrival
  routeShadow, // copies to a second instance
] as const satisfies readonly StrategyDefinition[];

/** The definition of that name, if there is one. */
export function findStrategy(name: string): StrategyDefinition | undefined {
  return strategies.find((definition) => definition.name === name);
}

/** The definition of that name. Throws UserError that lists all names. */
export function strategyNamed(name: string, place?: string): StrategyDefinition {
  return lookUp<StrategyDefinition>(strategies, name, 'strategy', place);
}

/** Options with their defaults filled in. Throws UserError with every problem of them. */
export function parseStrategyOptions(
  definition: StrategyDefinition,
  options: unknown,
  place = definition.name,
): unknown {
  return checked(definition.options, options ?? {}, place);
}

/** A new strategy of that name. Throws UserError where the name or an option is wrong. */
export function createStrategy(name: string, options: unknown, context: StrategyContext, place?: string): Strategy {
  const definition = strategyNamed(name, place);
  return definition.create(parseStrategyOptions(definition, options, place), context);
}
