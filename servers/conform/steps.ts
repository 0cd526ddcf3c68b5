import { createController, findController } from '../controllers/registry.js';
import type { VectorCase } from './vectors.js';

/** Feed the steps of a case to one controller. */
export function runSteps({ strategy, steps = [] }: VectorCase): { answers: unknown[] } | undefined {
  const definition = findController(strategy.name);
  if (definition === undefined) return undefined;
  const controller = createController(definition, strategy.options);
  return { answers: steps.map((step) => controller.step(step)) };
}
