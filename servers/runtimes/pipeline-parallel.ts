import { z } from 'zod';
import { nowNs } from '../../results/clock.js';
import { UserError } from '../../results/errors.js';
import { pipelineSchedule } from '../controllers/support/pipeline.js';
import {
  defineRuntime,
  type ExecutionPart,
  type Runtime,
  type RuntimeCost,
  type RuntimeMetadata,
  type RuntimeTensor,
} from './contract.js';
import { onnx } from './onnx.js';
import { type PlanFile, readPlanOf, type WholeStep } from './plan.js';
import { deviceOf, parallelShape, sessionOptions } from './support/parallel-options.js';
import { evenly, joinRows, splitRows } from './support/tensors.js';
import { bytesOf, lastUses, PlanValues, planMetadata } from './support/values.js';
import { type ParallelWorker, startWorkers } from './support/workers.js';

const options = z.strictObject({
  ...onnx.options.shape,
  ...parallelShape,
  /** Into how many parts of even rows an execution is cut; never more than it has rows. */
  microBatches: z.number().int().positive().default(4),
  /** Workers of each stage, each with a session of its own; default one a stage. */
  workers: z.array(z.number().int().positive()).optional(),
});

type Options = z.output<typeof options>;

/**
 * Stages in workers, one behind the other; while a stage has one micro-batch the stage before has the next. Micro-batches
 * go to whichever worker of a stage has least to do. Source: Huang et al., *GPipe*; Narayanan et al., *PipeDream*
 * (several workers a stage).
 */
export const pipelineParallel = defineRuntime({
  name: 'pipeline-parallel',
  summary: 'Stages of a split model in workers of their own, filled with micro-batches',
  options,
  create: async (modelPath, parsed) => create(readPlanOf(modelPath, 'pipeline', 'pipeline-parallel'), parsed),
  virtualCost: async (modelPath, parsed, costOfPart) => {
    const plan = readPlanOf(modelPath, 'pipeline', 'pipeline-parallel');
    const steps = stagesOf(plan);
    const own = sessionOptions(parsed);
    const stages: RuntimeCost[] = [];
    for (const { model, cost } of steps)
      stages.push(await costOfPart({ path: plan.pathOf(model), share: cost, options: own }));
    const workers = workersOf(steps, parsed);
    // A point at every size: the number of micro-batches makes steps that no line between a few points has.
    const sizes = Array.from({ length: Math.max(...stages.map((stage) => stage.at(-1)![0])) }, (_, i) => i + 1);
    return sizes.map((rows) => {
      const { makespanNs } = pipelineSchedule(
        { rows, stages, transferNs: 0, workers },
        Math.min(parsed.microBatches, rows),
      );
      return [rows, makespanNs] as const;
    });
  },
});

async function create(plan: PlanFile, parsed: Options): Promise<Runtime> {
  const steps = stagesOf(plan);
  const counts = workersOf(steps, parsed);
  const specs = steps.flatMap(({ model }, stage) =>
    Array.from({ length: counts[stage]! }, (_, i) => ({
      name: counts[stage]! > 1 ? `stage ${stage} worker ${i}` : `stage ${stage}`,
      models: [plan.pathOf(model)],
    })),
  );
  const workers = await startWorkers(specs.map((spec, i) => ({ ...spec, ...deviceOf(parsed, i, specs.length) })));
  let next = 0;
  const stages = counts.map((count) => {
    next += count;
    return workers.slice(next - count, next);
  });
  const metadata = planMetadata(
    plan,
    'pipeline-parallel',
    stages.map(([first]) => first!.metadata[0]!),
  );
  return new Pipeline(plan, stages, metadata, parsed.microBatches);
}

class Pipeline implements Runtime {
  readonly #lastUse: ReadonlyMap<string, number>;
  #parts: readonly ExecutionPart[] = [];

  constructor(
    private readonly plan: PlanFile,
    private readonly stages: readonly (readonly ParallelWorker[])[],
    readonly metadata: RuntimeMetadata,
    private readonly microBatches: number,
  ) {
    this.#lastUse = lastUses(plan);
  }

  async execute(inputs: readonly RuntimeTensor[], rows: number, wanted?: readonly string[]): Promise<RuntimeTensor[]> {
    const beginNs = nowNs();
    const tally = { stageNs: this.stages.map(() => 0), handOverNs: 0, bytes: 0 };
    const sizes = this.#divisible(inputs, rows) ? evenly(rows, this.microBatches) : [rows];
    const micros = splitRows(inputs, sizes);
    const splitNs = nowNs() - beginNs;
    const done = await allSettled(micros.map((micro, i) => this.#pass(micro, sizes[i]!, tally)));
    const joinBeginNs = nowNs();
    const outputs = this.plan.outputs.flatMap((name, i) =>
      wanted === undefined || wanted.includes(name) ? [joinRows(done.map((each) => each[i]!))] : [],
    );
    const endNs = nowNs();
    const workers = this.stages.flat().length;
    this.#parts = [
      { name: 'workers', unit: 'count', value: workers },
      { name: 'micro-batches', unit: 'count', value: sizes.length },
      { name: 'makespan', unit: 'ns', value: endNs - beginNs },
      { name: 'compute', unit: 'ns', value: tally.stageNs.reduce((a, b) => a + b, 0) },
      ...tally.stageNs.map((value, i) => ({ name: `stage ${i}`, unit: 'ns', value }) as const),
      // Spread over the workers that it keeps waiting at the same time.
      { name: 'hand-over', unit: 'ns', value: tally.handOverNs / workers },
      { name: 'split and join', unit: 'ns', value: splitNs + (endNs - joinBeginNs) },
      { name: 'bytes handed over', unit: 'bytes', value: tally.bytes },
    ];
    return outputs;
  }

  lastParts(): readonly ExecutionPart[] {
    return this.#parts;
  }

  async close(): Promise<void> {
    await Promise.all(this.stages.flat().map((worker) => worker.close()));
  }

  /** One micro-batch through all stages. */
  async #pass(
    inputs: readonly RuntimeTensor[],
    rows: number,
    tally: { stageNs: number[]; handOverNs: number; bytes: number },
  ): Promise<RuntimeTensor[]> {
    const values = new PlanValues(this.#lastUse, inputs);
    for (const [i, step] of this.plan.steps.entries()) {
      const [taken] = values.take(step.inputs, i);
      if (i > 0) tally.bytes += bytesOf(taken!);
      const result = await leastBusy(this.stages[i]!).run(0, taken!, rows);
      tally.stageNs[i]! += result.computeNs;
      tally.handOverNs += result.handOverNs;
      values.put(result.outputs);
    }
    return values.outputs(this.plan.outputs);
  }

  /** A model with a fixed batch goes through whole. */
  #divisible(inputs: readonly RuntimeTensor[], rows: number): boolean {
    const { inputs: specs, outputs } = this.metadata;
    return (
      [...specs, ...outputs].every(({ shape }) => shape[0] === -1) && inputs.every(({ shape }) => shape[0] === rows)
    );
  }
}

function leastBusy(workers: readonly ParallelWorker[]): ParallelWorker {
  return workers.reduce((best, worker) => (worker.pending() < best.pending() ? worker : best));
}

/** All ended, well or not, before the first failure is told: the next execution finds the workers free. */
async function allSettled<Value>(promises: readonly Promise<Value>[]): Promise<Value[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

function stagesOf({ steps }: PlanFile): WholeStep[] {
  return steps.filter((step) => step.kind === 'whole');
}

function workersOf(steps: readonly WholeStep[], { workers }: Options): readonly number[] {
  if (workers === undefined) return steps.map(() => 1);
  if (workers.length === steps.length) return workers;
  throw new UserError({
    place: 'workers',
    found: `[${workers}] names ${workers.length} stages`,
    allowed: `one number for each of the plan's ${steps.length} stages`,
  });
}
