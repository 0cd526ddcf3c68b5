import { z } from 'zod';
import { nowNs } from '../../results/clock.js';
import { UserError } from '../../results/errors.js';
import type { RuntimeCost, RuntimeMetadata, RuntimeTensor } from './contract.js';
import { modelBytes } from './model-bytes.js';
import type { PlanFile, ShardedStep, SplitStep } from './plan.js';
import { type Conducted, type Conductor, defineParallel, parallelOptions } from './support/parallel-runtime.js';
import { joinLast, sumParts } from './support/tensors.js';
import { bytesByFormula, bytesOf, lastUses, PlanValues, planMetadata, rowBytesOf } from './support/values.js';
import type { ParallelWorker, TaskResult } from './support/workers.js';

/**
 * Slices of layers in workers side by side: each gets the layer's inputs, and the host adds their partial sums (or joins
 * their columns), in the order of the shards, so that outputs do not depend on who is first. What the plan left whole runs
 * in the first worker. Source: Shoeybi et al., *Megatron-LM*.
 */
export const tensorParallel = defineParallel({
  name: 'tensor-parallel',
  summary: 'Slices of layers in workers side by side; the host adds their partial sums',
  kind: 'tensor',
  options: z.strictObject(parallelOptions),
  workers: (plan) =>
    ownSteps(plan).map((own, shard) => ({
      name: `shard ${shard}`,
      parts: own.map((step) => modelsOf(plan.steps[step]!)[shard]!),
    })),
  conduct: (plan, { workers }) => new Shards(plan, workers),
  virtualCost: async (plan, _, costOf) => {
    const total = new Map<number, number>();
    for (const step of plan.steps) {
      const parts: RuntimeCost[] = [];
      for (const model of modelsOf(step)) parts.push(await costOf(model, costOfStep(step) / modelsOf(step).length));
      // Shards run side by side: the slowest counts. The tables are of the same sizes.
      for (const [point, [rows]] of parts[0]!.entries())
        total.set(rows, (total.get(rows) ?? 0) + Math.max(...parts.map((part) => part[point]![1])));
    }
    return [...total];
  },
});

/** By worker: the steps that it has a part of, in order. */
function ownSteps({ steps }: PlanFile): number[][] {
  const count = Math.max(...steps.map((step) => modelsOf(step).length));
  return Array.from({ length: count }, (_, shard) =>
    steps.flatMap((step, i) => (modelsOf(step)[shard] === undefined ? [] : [i])),
  );
}

interface Tally {
  /** By worker. */
  readonly workNs: number[];
  shardsNs: number;
  wholeNs: number;
  handOverNs: number;
  reduceNs: number;
  scattered: number;
  gathered: number;
}

function newTally(workers: number): Tally {
  const workNs = new Array<number>(workers).fill(0);
  return { workNs, shardsNs: 0, wholeNs: 0, handOverNs: 0, reduceNs: 0, scattered: 0, gathered: 0 };
}

class Shards implements Conductor {
  readonly metadata: RuntimeMetadata;
  readonly #lastUse: ReadonlyMap<string, number>;
  /** By worker: step → place among its models. */
  readonly #places: readonly ReadonlyMap<number, number>[];
  readonly #bytesPerRow: number | undefined;
  readonly #weightBytes: number;

  constructor(
    private readonly plan: PlanFile,
    private readonly workers: readonly ParallelWorker[],
  ) {
    this.#places = ownSteps(plan).map((own) => new Map(own.map((step, place) => [step, place])));
    const parts = plan.steps.map((_, step) => workers[0]!.metadata[this.#places[0]!.get(step)!]!);
    for (const [i, step] of plan.steps.entries()) refuseSum(step, parts[i]!);
    this.metadata = planMetadata(plan, 'tensor-parallel', parts);
    this.#lastUse = lastUses(plan);
    this.#bytesPerRow = communicated(plan.steps, parts);
    this.#weightBytes = plan.steps.flatMap(modelsOf).reduce((sum, model) => sum + modelBytes(plan.pathOf(model)), 0);
  }

  async execute(inputs: readonly RuntimeTensor[], rows: number): Promise<Conducted> {
    const beginNs = nowNs();
    const values = new PlanValues(this.#lastUse, inputs);
    const tally = newTally(this.workers.length);
    for (const [i, step] of this.plan.steps.entries()) await this.#step(i, step, values, rows, tally);
    const outputs = values.outputs(this.plan.outputs);
    const parts = [
      { name: 'workers', unit: 'count', value: this.workers.length },
      { name: 'makespan', unit: 'ns', value: nowNs() - beginNs },
      { name: 'compute', unit: 'ns', value: tally.workNs.reduce((a, b) => a + b, 0) },
      ...tally.workNs.map((value, i) => ({ name: this.workers[i]!.name, unit: 'ns', value }) as const),
      { name: 'slowest shards', unit: 'ns', value: tally.shardsNs },
      { name: 'whole layers', unit: 'ns', value: tally.wholeNs },
      { name: 'hand-over', unit: 'ns', value: tally.handOverNs },
      { name: 'reduction', unit: 'ns', value: tally.reduceNs },
      { name: 'bytes scattered', unit: 'bytes', value: tally.scattered },
      { name: 'bytes gathered', unit: 'bytes', value: tally.gathered },
      ...bytesByFormula(this.#bytesPerRow, rows),
      { name: 'weights read', unit: 'bytes', value: this.#weightBytes },
    ] as const;
    return { outputs, parts };
  }

  async #step(i: number, step: SplitStep, values: PlanValues, rows: number, tally: Tally): Promise<void> {
    const postedNs = nowNs();
    const shards = modelsOf(step).length;
    const feeds = values.take(step.inputs, i, shards);
    const bytes = feeds.reduce((sum, feed) => sum + bytesOf(feed), 0);
    const tasks = feeds.map((feed, shard) => this.workers[shard]!.run(this.#places[shard]!.get(i)!, feed, rows));
    // All ended, well or not, before a failure is told: the next execution finds the workers free.
    await Promise.allSettled(tasks);
    const results = await Promise.all(tasks);
    const backNs = nowNs();
    const slowest = Math.max(...results.map(({ computeNs }) => computeNs));
    for (const [shard, { computeNs }] of results.entries()) tally.workNs[shard]! += computeNs;
    // Copying the inputs for each shard is a part of it.
    tally.handOverNs += backNs - postedNs - slowest;
    if (step.kind !== 'sharded') {
      tally.wholeNs += slowest;
      values.put(results[0]!.outputs);
      return;
    }
    tally.shardsNs += slowest;
    tally.scattered += bytes;
    tally.gathered += results.reduce((sum, { outputs }) => sum + bytesOf(outputs), 0);
    values.put(reduced(step, results));
    tally.reduceNs += nowNs() - backNs;
  }
}

function reduced(step: ShardedStep, results: readonly TaskResult[]): RuntimeTensor[] {
  return step.outputs.map((name) => {
    const parts = results.map(({ outputs }) => outputs.find((output) => output.name === name)!);
    return step.reduce === 'sum' ? sumParts(parts) : joinLast(parts);
  });
}

function refuseSum(step: SplitStep, part: RuntimeMetadata): void {
  if (step.kind !== 'sharded') return;
  const other = part.outputs.find(({ name, datatype }) => step.outputs.includes(name) && datatype !== 'FP32');
  if (step.reduce === 'sum' && other)
    throw new UserError({
      place: `"${other.name}"`,
      found: `partial sums of ${other.datatype}`,
      allowed: 'FP32',
      remedy: 'Split the model before its weights are converted',
    });
  if (step.reduce === 'concat' && step.axis !== -1)
    throw new UserError({
      place: `"${step.outputs[0]}"`,
      found: `columns along axis ${step.axis}`,
      allowed: 'axis −1',
    });
}

/**
 * Bytes of a row between host and shards: each shard of a step gets all of its inputs, and gives a partial sum of the outputs
 * or its columns of them. Whole steps communicate nothing.
 */
function communicated(steps: readonly SplitStep[], parts: readonly RuntimeMetadata[]): number | undefined {
  let sum = 0;
  for (const [i, step] of steps.entries()) {
    if (step.kind !== 'sharded') continue;
    const inputs = rowBytesOf(parts[i]!.inputs);
    if (inputs === undefined) return undefined;
    const shards = step.models.length;
    sum += shards * inputs + step.bytesPerRow * (step.reduce === 'sum' ? shards : 1);
  }
  return sum;
}

function modelsOf(step: SplitStep): readonly string[] {
  return step.kind === 'sharded' ? step.models : [step.model];
}

function costOfStep(step: SplitStep): number {
  return step.kind === 'bucket' ? 0 : step.cost;
}
