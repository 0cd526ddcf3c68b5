import { UserError } from '../../results/errors.js';
import type { Runtime, RuntimeDefinition } from './contract.js';
import { nullRuntime } from './null.js';
import { onnx } from './onnx.js';
import { synthetic } from './synthetic.js';

/** Every runtime. One import and one line per addition. */
export const runtimes = [
  onnx, // ONNX models in ONNX Runtime
  synthetic, // executions of known duration
  nullRuntime, // the harness measuring itself
] as const satisfies readonly RuntimeDefinition[];

/** The definition of that name. Throws UserError that lists all names. */
export function runtimeNamed(name: string, place = 'runtime'): RuntimeDefinition {
  const found = runtimes.find((definition) => definition.name === name) as RuntimeDefinition | undefined;
  if (found !== undefined) return found;
  const allowed = runtimes.map((definition) => definition.name).join(', ');
  throw new UserError({ place, found: `there is no runtime "${name}"`, allowed });
}

/** Options with their defaults filled in. Throws UserError with every problem of them. */
export function parseRuntimeOptions(definition: RuntimeDefinition, options: unknown, place = definition.name): unknown {
  const parsed = definition.options.safeParse(options ?? {});
  if (parsed.success) return parsed.data;
  throw new UserError(
    parsed.error.issues.map((issue) => ({
      place: [place, ...issue.path.map(String)].join('.'),
      found: issue.message,
    })),
  );
}

/** A runtime of that name with its model loaded. Throws UserError where name, options or model are wrong. */
export async function createRuntime(name: string, modelPath: string | undefined, options: unknown): Promise<Runtime> {
  const definition = runtimeNamed(name);
  return definition.create(modelPath, parseRuntimeOptions(definition, options));
}
