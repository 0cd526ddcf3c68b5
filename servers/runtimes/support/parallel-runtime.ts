import { z } from 'zod';
import { UserError } from '../../../results/errors.js';
import {
  defineRuntime,
  type ExecutionPart,
  type Runtime,
  type RuntimeCost,
  type RuntimeDefinition,
  type RuntimeMetadata,
  type RuntimeTensor,
} from '../contract.js';
import { onnx } from '../onnx.js';
import { type PlanFile, readPlanOf, type SplitPlan } from '../plan.js';
import { type Crew, startCrew } from './workers.js';

/** Options that all parallel runtimes have: those of their sessions, and where their workers run. */
export const parallelOptions = {
  ...onnx.options.shape,
  /** Processors of each worker, as in `taskset -c`, in order: [0, 1, 2-3]. Default: the instance's. */
  cpus: z.array(z.union([z.number().int().nonnegative(), z.string().regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/)])).optional(),
  /** Device of each worker's session, in order: one session a device. Needs executionProviders such as [cuda]. */
  devices: z.array(z.number().int().nonnegative()).optional(),
};

type ParallelOptions = z.output<z.ZodObject<typeof parallelOptions>>;

/** What makes one parallel runtime differ from another. */
export interface ParallelDefinition<Options extends z.ZodType<ParallelOptions>> {
  readonly name: string;
  readonly summary: string;
  /** Kind of the plans that it executes. */
  readonly kind: SplitPlan['kind'];
  /** `parallelOptions` and its own. */
  readonly options: Options;
  /** Its workers in order: name for errors, and the parts of the plan that each loads, by suffix. */
  workers(
    plan: PlanFile,
    options: z.output<Options>,
  ): readonly { readonly name: string; readonly parts: readonly string[] }[];
  /** Executes the plan with the workers. Throws UserError where it can't. */
  conduct(plan: PlanFile, crew: Crew, options: z.output<Options>): Conductor;
  /** As RuntimeDefinition.virtualCost, from what a part costs that is `share` of the whole. */
  virtualCost(
    plan: PlanFile,
    options: z.output<Options>,
    costOf: (part: string, share: number) => Promise<RuntimeCost>,
  ): Promise<RuntimeCost>;
}

/** Who hands the parts of an execution on. */
export interface Conductor {
  readonly metadata: RuntimeMetadata;
  execute(inputs: readonly RuntimeTensor[], rows: number): Promise<Conducted>;
}

export interface Conducted {
  /** All of the plan's. */
  readonly outputs: readonly RuntimeTensor[];
  readonly parts: readonly ExecutionPart[];
}

/** A runtime that executes a split model's plan in workers of its own: plan, options, workers and their end are the same for all. */
export function defineParallel<Options extends z.ZodType<ParallelOptions>>(
  definition: ParallelDefinition<Options>,
): RuntimeDefinition<Options> {
  const { name, summary, kind, options } = definition;
  return defineRuntime({
    name,
    summary,
    options,
    create: async (modelPath, parsed) => {
      const plan = readPlanOf(modelPath, kind, name);
      const specs = definition.workers(plan, parsed).map(({ name: worker, parts }, i, all) => ({
        name: worker,
        models: parts.map((part) => plan.pathOf(part)),
        ...placeOf(parsed, i, all.length),
      }));
      const crew = await startCrew(specs);
      try {
        return runtimeOf(definition.conduct(plan, crew, parsed), crew);
      } catch (error) {
        await crew.close();
        throw error;
      }
    },
    virtualCost: async (modelPath, parsed, costOfPart) => {
      const plan = readPlanOf(modelPath, kind, name);
      return definition.virtualCost(plan, parsed, (part, share) =>
        costOfPart({ path: plan.pathOf(part), share, options: sessionOptions(parsed) }),
      );
    },
  });
}

function runtimeOf(conductor: Conductor, crew: Crew): Runtime {
  let parts: readonly ExecutionPart[] = [];
  return {
    metadata: conductor.metadata,
    lost: crew.lost,
    execute: async (inputs, rows, wanted) => {
      const done = await conductor.execute(inputs, rows);
      parts = done.parts;
      return done.outputs.filter(({ name }) => wanted === undefined || wanted.includes(name));
    },
    lastParts: () => parts,
    close: () => crew.close(),
  };
}

function sessionOptions(parsed: ParallelOptions): Record<string, unknown> {
  return Object.fromEntries(Object.entries(parsed).filter(([key]) => key in onnx.options.shape));
}

/** Where worker `i` runs, and the options of its sessions. Throws UserError where lists do not fit. */
function placeOf(parsed: ParallelOptions, i: number, workers: number) {
  const { cpus, devices } = parsed;
  for (const [place, list] of Object.entries({ cpus, devices }))
    if (list !== undefined && list.length !== workers)
      throw new UserError({
        place,
        found: `[${list}] has ${list.length} entries`,
        allowed: `one for each of the ${workers} workers`,
      });
  return {
    options: { ...sessionOptions(parsed), ...(devices && { deviceId: devices[i] }) },
    cpus: cpus && String(cpus[i]),
  };
}
