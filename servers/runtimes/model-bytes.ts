import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PLAN_ENDING, partsOf, readPlan } from './plan.js';

/** Of a model's file and, where its weights lie beside it, these; of a split model all of its parts. */
export function modelBytes(path: string): number {
  if (path.endsWith(PLAN_ENDING)) {
    const plan = readPlan(path);
    return partsOf(plan).reduce((sum, part) => sum + modelBytes(plan.pathOf(part)), 0);
  }
  if (path.endsWith('.json')) return [path, ...shardsOf(path)].reduce((sum, file) => sum + statSync(file).size, 0);
  const beside = `${path}.data`;
  return statSync(path).size + (existsSync(beside) ? statSync(beside).size : 0);
}

/** The weight files beside a model.json of TensorFlow.js that are there; none where it can't be read, which the runtime then says. */
export function shardsOf(path: string): string[] {
  try {
    const { weightsManifest } = JSON.parse(readFileSync(path, 'utf8')) as { weightsManifest: { paths: string[] }[] };
    const files = weightsManifest.flatMap(({ paths }) => paths).map((name) => join(dirname(path), name));
    return files.filter((file) => existsSync(file));
  } catch {
    return [];
  }
}
