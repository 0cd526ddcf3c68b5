import { z } from 'zod';
import { nowNs } from '../../results/clock.js';
import { UserError } from '../../results/errors.js';
import { pipelineSchedule } from '../controllers/support/pipeline.js';
import type { RuntimeCost, RuntimeMetadata, RuntimeTensor } from './contract.js';
import { modelBytes } from './model-bytes.js';
import type { PlanFile, WholeStep } from './plan.js';
import { type Conducted, type Conductor, defineParallel, parallelOptions } from './support/parallel-runtime.js';
import { evenly, joinRows, splitRows } from './support/tensors.js';
import { bytesByFormula, bytesOf, lastUses, PlanValues, planMetadata, rowBytesOf } from './support/values.js';
import type { ParallelWorker } from './support/workers.js';

const options = z.strictObject({
  ...parallelOptions,
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
export const pipelineParallel = defineParallel({
  name: 'pipeline-parallel',
  summary: 'Stages of a split model in workers of their own, filled with micro-batches',
  kind: 'pipeline',
  options,
  workers: (plan, parsed) => {
    const counts = workersOf(stagesOf(plan), parsed);
    return stagesOf(plan).flatMap(({ model }, stage) =>
      Array.from({ length: counts[stage]! }, (_, i) => ({
        name: counts[stage]! > 1 ? `stage ${stage} worker ${i}` : `stage ${stage}`,
        parts: [model],
      })),
    );
  },
  conduct: (plan, { workers }, parsed) => {
    let next = 0;
    const stages = workersOf(stagesOf(plan), parsed).map((count) => {
      next += count;
      return workers.slice(next - count, next);
    });
    return new Pipeline(plan, stages, parsed.microBatches);
  },
  virtualCost: async (plan, parsed, costOf) => {
    const steps = stagesOf(plan);
    const stages: RuntimeCost[] = [];
    for (const { model, cost } of steps) stages.push(await costOf(model, cost));
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

class Pipeline implements Conductor {
  readonly metadata: RuntimeMetadata;
  readonly #lastUse: ReadonlyMap<string, number>;
  readonly #names: readonly string[];
  readonly #handedPerRow: number | undefined;
  readonly #weightBytes: number;

  constructor(
    private readonly plan: PlanFile,
    private readonly stages: readonly (readonly ParallelWorker[])[],
    private readonly microBatches: number,
  ) {
    const parts = stages.map(([first]) => first!.metadata[0]!);
    this.metadata = planMetadata(plan, 'pipeline-parallel', parts);
    this.#lastUse = lastUses(plan);
    // Of a stage with several workers no one's place is the stage's.
    this.#names = stages.map((workers, i) => (workers.length === 1 ? workers[0]!.name : `stage ${i}`));
    this.#handedPerRow = rowBytesOf(parts.slice(1).flatMap(({ inputs }) => inputs));
    this.#weightBytes = stagesOf(plan).reduce((sum, { model }) => sum + modelBytes(plan.pathOf(model)), 0);
  }

  async execute(inputs: readonly RuntimeTensor[], rows: number): Promise<Conducted> {
    const beginNs = nowNs();
    const tally = { stageNs: this.stages.map(() => 0), handOverNs: 0, bytes: 0 };
    const sizes = this.#divisible(inputs, rows) ? evenly(rows, this.microBatches) : [rows];
    const micros = splitRows(inputs, sizes);
    const splitNs = nowNs() - beginNs;
    const done = await allSettled(micros.map((micro, i) => this.#pass(micro, sizes[i]!, tally)));
    const joinBeginNs = nowNs();
    const outputs = this.plan.outputs.map((_, i) => joinRows(done.map((each) => each[i]!)));
    const endNs = nowNs();
    const workers = this.stages.flat().length;
    const parts = [
      { name: 'workers', unit: 'count', value: workers },
      { name: 'micro-batches', unit: 'count', value: sizes.length },
      { name: 'makespan', unit: 'ns', value: endNs - beginNs },
      { name: 'compute', unit: 'ns', value: tally.stageNs.reduce((a, b) => a + b, 0) },
      ...tally.stageNs.map((value, i) => ({ name: this.#names[i]!, unit: 'ns', value }) as const),
      // Spread over the workers that it keeps waiting at the same time.
      { name: 'hand-over', unit: 'ns', value: tally.handOverNs / workers },
      { name: 'split and join', unit: 'ns', value: splitNs + (endNs - joinBeginNs) },
      { name: 'bytes handed over', unit: 'bytes', value: tally.bytes },
      ...bytesByFormula(this.#handedPerRow, rows),
      // Each micro-batch reads them anew.
      { name: 'weights read', unit: 'bytes', value: this.#weightBytes * sizes.length },
    ] as const;
    return { outputs, parts };
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
