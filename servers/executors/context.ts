import type { InstanceInfo, StrategyContext } from '../strategies/index.js';
import { createStrategy } from '../strategies/registry.js';
import type { CostModel } from './cost.js';

/** What a strategy is made from, over these instances and costs; strategies that wrap others find them in the registry. */
export function strategyContext(
  instances: readonly InstanceInfo[],
  costs: Pick<CostModel, 'cost' | 'costOn'>,
): StrategyContext {
  return { instances, cost: costs.cost, costOn: costs.costOn, inner: createStrategy };
}

/** Instances 0 … n − 1, each with its duration factor (default 1), from a number or a list. */
export function instanceList(instances: number | readonly { readonly speed?: number | undefined }[]): InstanceInfo[] {
  const list = typeof instances === 'number' ? Array.from({ length: instances }, () => ({ speed: 1 })) : instances;
  return list.map((instance, id) => ({ id, speed: instance.speed ?? 1 }));
}
