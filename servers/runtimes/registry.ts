import { checked, lookUp } from '../../results/lookup.js';
import { buckets } from './buckets.js';
import type { Runtime, RuntimeDefinition } from './contract.js';
import { nullRuntime } from './null.js';
import { onnx } from './onnx.js';
import { pipelineParallel } from './pipeline-parallel.js';
import { staged } from './staged.js';
import { synthetic } from './synthetic.js';
import { tensorParallel } from './tensor-parallel.js';
import { tfjs } from './tfjs.js';

/** Every runtime. One import and one line per addition. */
export const runtimes = [
  onnx, // ONNX models in ONNX Runtime
  tfjs, // TensorFlow.js models
  pipelineParallel, // stages in workers, one behind the other
  tensorParallel, // slices in workers, side by side
  staged, // stages in one worker, other work between them
  buckets, // sequence lengths
  synthetic, // executions of known duration
  nullRuntime, // the harness measuring itself
] as const satisfies readonly RuntimeDefinition[];

/** The definition of that name. Throws UserError that lists all names. */
export function runtimeNamed(name: string, place?: string): RuntimeDefinition {
  return lookUp<RuntimeDefinition>(runtimes, name, 'runtime', place);
}

/** Options with their defaults filled in. Throws UserError with every problem of them. */
export function parseRuntimeOptions(definition: RuntimeDefinition, options: unknown, place = definition.name): unknown {
  return checked(definition.options, options ?? {}, place);
}

/** A runtime of that name with its model loaded. Throws UserError where name, options or model are wrong. */
export async function createRuntime(name: string, modelPath: string | undefined, options: unknown): Promise<Runtime> {
  const definition = runtimeNamed(name);
  return definition.create(modelPath, parseRuntimeOptions(definition, options));
}
