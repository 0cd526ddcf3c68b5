import { UserError } from '../results/errors.js';
import { instanceList, strategyContext } from './executors/context.js';
import { costModel } from './executors/cost.js';
import type { CostTable } from './executors/index.js';
import type { ServedModelSpec } from './spec.js';
import type { Strategy, StrategyDefinition } from './strategies/index.js';
import { parseStrategyOptions, strategyNamed } from './strategies/registry.js';

/** A strategy with its options checked. */
export interface StrategyChoice {
  readonly definition: StrategyDefinition;
  readonly options: unknown;
  readonly maxRows: number;
}

/** Throws UserError where name or options are wrong, or a profile is needed and missing. `place` is whose strategy it is. */
export function chooseStrategy(
  { strategy, profile }: Pick<ServedModelSpec, 'strategy' | 'profile'>,
  place: string,
): StrategyChoice {
  const definition = strategyNamed(strategy.name, `${place}.strategy`);
  const options = parseStrategyOptions(definition, strategy.options, `${place}.${strategy.name}`);
  if (definition.simulatedOnly !== undefined)
    throw new UserError({
      place: `${place}.${strategy.name}`,
      found: `this strategy runs in virtual time only: ${definition.simulatedOnly}`,
      remedy: 'Use `servemark simulate`, or another strategy',
    });
  if (definition.usesProfile && profile === undefined)
    throw new UserError({
      place: `${place}.${strategy.name}`,
      found: 'this strategy plans with the model’s measured cost, and none is given',
      remedy: 'Measure it: servemark profile MODEL',
    });
  return { definition, options, maxRows: definition.maxRows(options) };
}

/** A new state machine for so many instances. */
export function createStrategy(choice: StrategyChoice, count: number, profile: CostTable | undefined): Strategy {
  const infos = instanceList(count);
  const costs = costModel(infos, { cost: profile });
  return choice.definition.create(choice.options, strategyContext(infos, costs));
}

/** The options that Triton has too, in its spelling. */
export function dynamicBatching(options: unknown): Readonly<Record<string, unknown>> {
  const { preferredBatchSize, maxQueueDelay, preserveOrdering } = options as {
    readonly preferredBatchSize?: readonly number[];
    readonly maxQueueDelay?: number;
    readonly preserveOrdering?: boolean;
  };
  return {
    ...(preferredBatchSize?.length ? { preferred_batch_size: preferredBatchSize } : {}),
    ...(maxQueueDelay === undefined ? {} : { max_queue_delay_microseconds: Math.round(maxQueueDelay / 1000) }),
    ...(preserveOrdering === undefined ? {} : { preserve_ordering: preserveOrdering }),
  };
}
