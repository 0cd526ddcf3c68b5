import { z } from 'zod';
import { nowNs } from '../../results/clock.js';
import { UserError } from '../../results/errors.js';
import {
  defineRuntime,
  type ExecutionPart,
  type Runtime,
  type RuntimeCost,
  type RuntimeMetadata,
  type RuntimeTensor,
} from './contract.js';
import { onnx } from './onnx.js';
import { type PlanFile, readPlanOf, type ShardedStep, type SplitStep } from './plan.js';
import { deviceOf, parallelShape, sessionOptions } from './support/parallel-options.js';
import { joinLast, sumParts } from './support/tensors.js';
import { bytesOf, lastUses, PlanValues, planMetadata } from './support/values.js';
import { type ParallelWorker, startWorkers, type TaskResult } from './support/workers.js';

const options = z.strictObject({ ...onnx.options.shape, ...parallelShape });

type Options = z.output<typeof options>;

/**
 * Slices of layers in workers side by side: each gets the layer's inputs, and the host adds their partial sums (or joins
 * their columns), in the order of the shards, so that outputs do not depend on who is first. What the plan left whole runs
 * in the first worker. Source: Shoeybi et al., *Megatron-LM*.
 */
export const tensorParallel = defineRuntime({
  name: 'tensor-parallel',
  summary: 'Slices of layers in workers side by side; the host adds their partial sums',
  options,
  create: async (modelPath, parsed) => create(readPlanOf(modelPath, 'tensor', 'tensor-parallel'), parsed),
  virtualCost: async (modelPath, parsed, costOfPart) => {
    const plan = readPlanOf(modelPath, 'tensor', 'tensor-parallel');
    const own = sessionOptions(parsed);
    const total = new Map<number, number>();
    for (const step of plan.steps) {
      const parts: RuntimeCost[] = [];
      for (const model of modelsOf(step)) {
        const share = costOf(step) / modelsOf(step).length;
        parts.push(await costOfPart({ path: plan.pathOf(model), share, options: own }));
      }
      // Shards run side by side: the slowest counts. The tables are of the same sizes.
      for (const [point, [rows]] of parts[0]!.entries())
        total.set(rows, (total.get(rows) ?? 0) + Math.max(...parts.map((part) => part[point]![1])));
    }
    return [...total];
  },
});

async function create(plan: PlanFile, parsed: Options): Promise<Runtime> {
  const count = Math.max(...plan.steps.map((step) => modelsOf(step).length));
  const specs = Array.from({ length: count }, (_, shard) => {
    // By step: the worker's own part of it.
    const own = plan.steps.flatMap((step, i) => (modelsOf(step)[shard] === undefined ? [] : [i]));
    return { own, models: own.map((i) => plan.pathOf(modelsOf(plan.steps[i]!)[shard]!)) };
  });
  const workers = await startWorkers(
    specs.map(({ models }, i) => ({ name: `shard ${i}`, models, ...deviceOf(parsed, i, count) })),
  );
  const places = specs.map(({ own }) => new Map(own.map((step, place) => [step, place])));
  try {
    const parts = plan.steps.map((_, step) => workers[0]!.metadata[places[0]!.get(step)!]!);
    for (const [i, step] of plan.steps.entries()) refuseSum(step, parts[i]!);
    return new Shards(plan, workers, places, planMetadata(plan, 'tensor-parallel', parts));
  } catch (error) {
    await Promise.all(workers.map((worker) => worker.close()));
    throw error;
  }
}

interface Tally {
  workNs: number;
  shardsNs: number;
  wholeNs: number;
  handOverNs: number;
  reduceNs: number;
  scattered: number;
  gathered: number;
}

class Shards implements Runtime {
  readonly #lastUse: ReadonlyMap<string, number>;
  #parts: readonly ExecutionPart[] = [];

  constructor(
    private readonly plan: PlanFile,
    private readonly workers: readonly ParallelWorker[],
    /** By worker: step → place among its models. */
    private readonly places: readonly ReadonlyMap<number, number>[],
    readonly metadata: RuntimeMetadata,
  ) {
    this.#lastUse = lastUses(plan);
  }

  async execute(inputs: readonly RuntimeTensor[], rows: number, wanted?: readonly string[]): Promise<RuntimeTensor[]> {
    const beginNs = nowNs();
    const values = new PlanValues(this.#lastUse, inputs);
    const tally: Tally = { workNs: 0, shardsNs: 0, wholeNs: 0, handOverNs: 0, reduceNs: 0, scattered: 0, gathered: 0 };
    for (const [i, step] of this.plan.steps.entries()) await this.#step(i, step, values, rows, tally);
    const outputs = values.outputs(this.plan.outputs);
    this.#parts = [
      { name: 'workers', unit: 'count', value: this.workers.length },
      { name: 'makespan', unit: 'ns', value: nowNs() - beginNs },
      { name: 'compute', unit: 'ns', value: tally.workNs },
      { name: 'slowest shards', unit: 'ns', value: tally.shardsNs },
      { name: 'whole layers', unit: 'ns', value: tally.wholeNs },
      { name: 'hand-over', unit: 'ns', value: tally.handOverNs },
      { name: 'reduction', unit: 'ns', value: tally.reduceNs },
      { name: 'bytes scattered', unit: 'bytes', value: tally.scattered },
      { name: 'bytes gathered', unit: 'bytes', value: tally.gathered },
    ];
    return wanted === undefined ? outputs : outputs.filter(({ name }) => wanted.includes(name));
  }

  lastParts(): readonly ExecutionPart[] {
    return this.#parts;
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.close()));
  }

  async #step(i: number, step: SplitStep, values: PlanValues, rows: number, tally: Tally): Promise<void> {
    const postedNs = nowNs();
    const shards = modelsOf(step).length;
    const feeds = values.take(step.inputs, i, shards);
    const bytes = feeds.reduce((sum, feed) => sum + bytesOf(feed), 0);
    const tasks = feeds.map((feed, shard) => this.workers[shard]!.run(this.places[shard]!.get(i)!, feed, rows));
    // All ended, well or not, before a failure is told: the next execution finds the workers free.
    await Promise.allSettled(tasks);
    const results = await Promise.all(tasks);
    const backNs = nowNs();
    const slowest = Math.max(...results.map(({ computeNs }) => computeNs));
    tally.workNs += results.reduce((sum, { computeNs }) => sum + computeNs, 0);
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

function modelsOf(step: SplitStep): readonly string[] {
  return step.kind === 'sharded' ? step.models : [step.model];
}

function costOf(step: SplitStep): number {
  return step.kind === 'bucket' ? 0 : step.cost;
}
