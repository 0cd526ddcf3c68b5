import { nowNs } from '../results/clock.js';
import { UserError } from '../results/errors.js';
import { FastRandom, median } from '../results/stats/index.js';
import { Batching } from './executors/batching.js';
import type { CostTable, Instance, Isolation } from './executors/index.js';
import { startInstance } from './executors/start-instance.js';
import { zeroInputs } from './executors/zero-inputs.js';
import { maxBatch } from './models/batch.js';
import type { ModelSpec } from './models/index.js';
import { resolveModel } from './models/resolve.js';
import type { InferRequest, Tensor } from './protocol/index.js';
import type { RuntimeMetadata, RuntimeTensor } from './runtimes/index.js';

export interface ProfileSpec {
  readonly model: ModelSpec;
  readonly isolation?: Isolation | undefined;
  /** Rows of an execution, ascending; a model with a fixed batch has only 1, its one shape. */
  readonly sizes: readonly number[];
  /** Executions of each size that count. */
  readonly rounds: number;
  /** Sizes of dynamic dimensions besides the first, by input: `{ ids: [-1, 128] }`; default 1. */
  readonly dims?: Readonly<Record<string, readonly number[]>> | undefined;
}

export const DEFAULT_PROFILE_SIZES: readonly number[] = [1, 2, 4, 8, 16, 32, 64];

/** Rounds that warm up and do not count. */
const WARM_UP_ROUNDS = 3;

/**
 * c(b): the median time from a batch formed to its outputs back on the server's thread, measured through the very
 * code that serves: join, hand-over, runtime, hand-over, split. Rounds go through the sizes up and down in turn, so that
 * drift (frequency, temperature) does not align with a size. Throws UserError where the model can't be loaded or batched.
 */
export async function profileModel(
  spec: ProfileSpec,
  signal?: AbortSignal,
  onRound: (done: number, rounds: number) => void = () => {},
): Promise<CostTable> {
  const model = await resolveModel(spec.model, signal);
  const instance = startInstance({
    id: 0,
    runtime: model.runtime,
    runtimeOptions: model.runtimeOptions,
    modelPath: model.path,
    isolation: spec.isolation ?? 'thread',
    warmUpExecutions: 1,
  });
  try {
    const metadata = await instance.started;
    return await measure(instance, metadata, checkedSizes(spec, metadata), spec, signal, onRound);
  } finally {
    await instance.close();
  }
}

async function measure(
  instance: Instance,
  metadata: RuntimeMetadata,
  sizes: readonly number[],
  { rounds, dims }: ProfileSpec,
  signal: AbortSignal | undefined,
  onRound: (done: number, rounds: number) => void,
): Promise<CostTable> {
  const batching = new Batching(metadata);
  const row = singleRow(metadata, dims);
  const durations = new Map(sizes.map((size) => [size, [] as number[]]));
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    signal?.throwIfAborted();
    for (const size of round % 2 === 0 ? sizes : [...sizes].reverse()) {
      const ns = await execute(instance, batching, row, size);
      if (round >= 0) durations.get(size)!.push(ns);
    }
    if (round >= 0) onRound(round + 1, rounds);
  }
  return sizes.map((size) => [size, Math.max(1, Math.round(median(durations.get(size)!)))] as const);
}

function execute(instance: Instance, batching: Batching, row: InferRequest, size: number): Promise<number> {
  const requests = new Array<InferRequest>(size).fill(row);
  const rowsEach = new Array<number>(size).fill(1);
  return new Promise((resolve, reject) => {
    const formedNs = nowNs();
    instance.execute({ inputs: batching.join(requests, size), rows: size }, (outcome) => {
      if (!outcome.ok) {
        reject(new Error(`profiling at ${size} rows: ${outcome.message}`));
        return;
      }
      batching.split(outcome.outputs, requests, rowsEach, size);
      resolve(nowNs() - formedNs);
    });
  });
}

/** A request of one row: FP32 evenly in [−1, 1) by a fixed seed (zeros can be unusually fast), all else zeros. */
function singleRow(metadata: RuntimeMetadata, dims: ProfileSpec['dims']): InferRequest {
  const random = new FastRandom(1);
  const inputs = zeroInputs(metadata.inputs, 1, dims).map((tensor) => toInput(tensor, random));
  return { modelName: 'profile', inputs };
}

function toInput({ name, datatype, shape, buffer }: RuntimeTensor, random: FastRandom): Tensor {
  if (datatype === 'FP32') {
    const values = new Float32Array(buffer);
    for (let i = 0; i < values.length; i++) values[i] = random.next32() / 2 ** 31 - 1;
  }
  return { name, datatype, shape, data: new Uint8Array(buffer) };
}

function checkedSizes({ sizes }: ProfileSpec, metadata: RuntimeMetadata): readonly number[] {
  if (maxBatch(metadata) !== Number.POSITIVE_INFINITY) return [1];
  const ascending = sizes.every((size, i) => Number.isInteger(size) && size > (i === 0 ? 0 : sizes[i - 1]!));
  if (sizes.length > 0 && ascending) return sizes;
  throw new UserError({ place: 'sizes', found: `[${sizes}]`, allowed: 'whole numbers from 1, ascending' });
}
