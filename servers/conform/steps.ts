import { createController, findController } from '../controllers/registry.js';
import type { VectorCase } from './vectors.js';

/** Feed the steps of a case to one controller. */
export function runSteps({ strategy, steps = [] }: VectorCase): { answers: unknown[] } | undefined {
  if (findController(strategy.name) === undefined) return undefined;
  const controller = createController(strategy.name, strategy.options);
  return { answers: steps.map((step) => controller.step(step)) };
}
