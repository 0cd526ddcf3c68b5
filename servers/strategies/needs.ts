import type { Problem } from '../../results/errors.js';
import type { StrategyDefinition } from './contract.js';

/** What a strategy needs of a real server, and lacks; said at the caller's place. */
type Lack = Omit<Problem, 'place'>;

/** A thread can't be killed. */
export function isolationProblem(
  definition: StrategyDefinition,
  options: unknown,
  isolation: 'thread' | 'process' = 'thread',
): Lack | undefined {
  if (isolation === 'process' || definition.kills?.(options) === undefined) return undefined;
  return {
    found: `${definition.name} kills what runs, and these instances are threads, which nothing can end from outside`,
    remedy: 'Add isolation: process',
  };
}

/** It plans executions of some stages, and the model is not cut into as many. */
export function stagesProblem(definition: StrategyDefinition, options: unknown, cut = 1): Lack | undefined {
  const stages = definition.stages?.(options) ?? 1;
  if (stages === 1 || stages === cut) return undefined;
  return {
    found: `${definition.name} plans ${stages} stages, and the model is ${cut === 1 ? 'not cut' : `cut into ${cut}`}`,
    ...(cut === 1 ? {} : { allowed: `stages: ${cut}` }),
    remedy: `Cut it: model: { passes: [{ name: split-pipeline, stages: ${stages} }], runtime: staged }`,
  };
}
