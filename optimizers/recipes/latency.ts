import { join } from 'node:path';
import type { SampleLibrary } from '../../clients/samples/index.js';
import { ascending, percentile } from '../../results/stats/index.js';
import { createRuntime, type Runtime } from '../../servers/runtimes/index.js';
import { type OnnxModel, writeModel } from '../onnx/index.js';
import { inTemporaryFolder, joinSamples } from '../onnx/session.js';

/** One model's latency at batch 1, beside the first of the models measured with it. */
export interface Latency {
  /** Of its files. */
  readonly bytes: number;
  readonly medianNs: number;
  readonly p90Ns: number;
  /** First model's median over this one's: above 1 is faster. */
  readonly speedUp: number;
  readonly executions: number;
}

/** Executions a model that do not count. */
const WARM_UP = 10;

/**
 * Executions of one row, one thread, interleaved: every round each model once, beginning with another one each time, on another
 * sample, so that what disturbs the machine disturbs all alike. Blocks this thread.
 */
export async function measureLatency(
  models: readonly OnnxModel[],
  samples: SampleLibrary,
  rounds: number,
  signal?: AbortSignal,
): Promise<Latency[]> {
  return inTemporaryFolder(async (folder) => {
    const runtimes: Runtime[] = [];
    const bytes: number[] = [];
    try {
      for (const [i, model] of models.entries()) {
        const path = join(folder, `${i}.onnx`);
        bytes.push(writeModel(model, path).reduce((sum, file) => sum + file.bytes, 0));
        runtimes.push(await createRuntime('onnx', path, {}));
      }
      return latencies(await timesOf(runtimes, samples, rounds, signal), bytes);
    } finally {
      for (const runtime of runtimes) await runtime.close();
    }
  });
}

async function timesOf(
  runtimes: readonly Runtime[],
  samples: SampleLibrary,
  rounds: number,
  signal: AbortSignal | undefined,
): Promise<number[][]> {
  const times = runtimes.map((): number[] => []);
  for (let round = -WARM_UP; round < rounds; round++) {
    signal?.throwIfAborted();
    const inputs = joinSamples([samples.inputs((round + WARM_UP) % samples.totalSampleCount)]);
    for (let turn = 0; turn < runtimes.length; turn++) {
      const which = (round + WARM_UP + turn) % runtimes.length;
      const started = process.hrtime.bigint();
      await runtimes[which]!.execute(inputs, 1);
      if (round >= 0) times[which]!.push(Number(process.hrtime.bigint() - started));
    }
  }
  return times;
}

function latencies(times: readonly number[][], bytes: readonly number[]): Latency[] {
  const sorted = times.map(ascending);
  const medians = sorted.map((each) => percentile(each, 0.5));
  return sorted.map((each, i) => ({
    bytes: bytes[i]!,
    medianNs: medians[i]!,
    p90Ns: percentile(each, 0.9),
    speedUp: medians[0]! / medians[i]!,
    executions: each.length,
  }));
}
