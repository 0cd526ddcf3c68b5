import { existsSync, statSync } from 'node:fs';
import { PLAN_ENDING, partsOf, readPlan } from './plan.js';

/** Of a model's file and, where its weights lie beside it, these; of a split model all of its parts. */
export function modelBytes(path: string): number {
  if (path.endsWith(PLAN_ENDING)) {
    const plan = readPlan(path);
    return partsOf(plan).reduce((sum, part) => sum + modelBytes(plan.pathOf(part)), 0);
  }
  const beside = `${path}.data`;
  return statSync(path).size + (existsSync(beside) ? statSync(beside).size : 0);
}
