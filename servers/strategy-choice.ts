import { UserError } from '../results/errors.js';
import { instanceList, strategyContext } from './executors/context.js';
import { costModel } from './executors/cost.js';
import type { CostTable } from './executors/index.js';
import type { ServedModelSpec } from './spec.js';
import {
  isolationProblem,
  type LimiterPlace,
  type Strategy,
  type StrategyDefinition,
  stagesProblem,
} from './strategies/index.js';
import { parseStrategyOptions, strategyNamed } from './strategies/registry.js';

/** A strategy with its options checked. */
export interface StrategyChoice {
  readonly definition: StrategyDefinition;
  readonly options: unknown;
  readonly maxRows: number;
}

/** Throws UserError where name or options are wrong, or a profile is needed and missing. `place` is whose strategy it is. */
export function chooseStrategy(
  { strategy, profile, isolation }: Pick<ServedModelSpec, 'strategy' | 'profile' | 'isolation'>,
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
  const threads = isolationProblem(definition, options, isolation);
  if (threads) throw new UserError({ place: `${place}.${strategy.name}`, ...threads });
  return { definition, options, maxRows: definition.maxRows(options) };
}

/**
 * Throws UserError where executions of some stages are planned, and the model is cut into another number of them. One that
 * shares the instances of another may be whole.
 */
export function refuseOtherStages(
  { definition, options }: StrategyChoice,
  model: string,
  cut = 1,
  mayBeWhole = false,
): void {
  if (mayBeWhole && cut === 1) return;
  const problem = stagesProblem(definition, options, cut);
  if (problem) throw new UserError({ place: `model ${model}`, ...problem });
}

/** A model as its strategy knows it. */
export interface PlannedModel {
  readonly name: string;
  readonly profile: CostTable | undefined;
  readonly stages: number;
}

/** A new state machine for so many instances that have loaded these models, the first of which is their own. */
export function createStrategy(
  choice: StrategyChoice,
  count: number,
  models: readonly PlannedModel[],
  limiter?: LimiterPlace,
): Strategy {
  const infos = instanceList(count);
  const known = models.flatMap(({ name, profile }) => (profile ? [[name, profile] as const] : []));
  const costs = costModel(infos, { cost: models[0]?.profile, costs: Object.fromEntries(known) });
  const stages = new Map(models.map((model) => [model.name, model.stages]));
  const stagesOf = (model = models[0]?.name ?? '') => stages.get(model) ?? 1;
  return choice.definition.create(choice.options, { ...strategyContext(infos, costs), stagesOf, limiter });
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
